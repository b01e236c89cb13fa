/** tfjs-node's JavaScript, whose kernels the native engine uses. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { AtmorepError } from "../../errors.js";
import { INSTALL_FOLDER } from "../folder.js";

const PACKAGE = "@tensorflow/tfjs-node-gpu@4.22.0";

/** Adds it without its binary, where the user's project does not have it. */
export async function installJavascript(report: (line: string) => void): Promise<void> {
  const require = createRequire(import.meta.url);
  try {
    require.resolve(`${PACKAGE.slice(0, PACKAGE.lastIndexOf("@"))}/package.json`);
  } catch {
    report(`adding ${PACKAGE} without its binary`);
    // a checkout has its own node_modules; as a dependency the program finds those of the project around it
    const own = join(INSTALL_FOLDER, "..");
    const root = existsSync(join(own, "node_modules")) ? own : process.cwd();
    const add = ["install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", PACKAGE];
    await promisify(execFile)("npm", add, { cwd: root }).catch((error: Error & { stderr?: string }) => {
      throw new AtmorepError("failed", `npm could not add ${PACKAGE}`, {
        where: root,
        found: (error.stderr || error.message).trim().split("\n").slice(0, 3).join(" "),
        fix: `Run it yourself: npm install --ignore-scripts ${PACKAGE}`,
      });
    });
  }
}
