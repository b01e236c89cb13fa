/**
 * All the set-up that a fresh clone needs: packages, then `dist/`. `npm start` and `npm test` run it first; arguments, if
 * any, are then given to the program. Plain JavaScript without dependencies.
 */
import { constants } from "node:os";
import { build, ROOT } from "./build.js";
import { install } from "./install.js";
import { checkNode } from "./node.js";

checkNode();
try {
  await install(ROOT);
  build();
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exit(error.signal ? 128 + constants.signals[error.signal] : 1);
}
if (process.argv.length > 2) {
  const { main } = await import("../dist/cli/main.js");
  await main(process.argv.slice(2));
}
