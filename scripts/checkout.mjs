/** Another commit of this repository, beside this checkout and with its packages; for scripts that compare two commits. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../bin/build.js";

/**
 * Writes the files of a commit into a new folder, with a link to the packages that are installed here.
 * @param revision any name that git knows
 * @returns `folder`
 */
export function checkOut(revision, folder) {
  const archive = execFileSync("git", ["archive", revision], { cwd: ROOT, maxBuffer: 2 ** 30 });
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}
