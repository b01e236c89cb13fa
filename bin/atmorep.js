#!/usr/bin/env node
/** Launcher of the `atmorep` program: checks Node, builds `dist/` in a checkout where needed, starts the program. */
import { build } from "./build.js";
import { checkNode } from "./node.js";

checkNode();
try {
  build();
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exit(1);
}
const { main } = await import("../dist/cli/main.js");
await main(process.argv.slice(2));
