/**
 * The guides, followed: all blocks of a page in its order, in a folder of its own. `sh` runs in bash with `npx atmorep` as this
 * checkout's program, `ts` as a script of the notebook's kernel, `python` where ATMOREP_TEST_PYTHON names a Python with torch.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { atmorep, LAUNCHER, ROOT, runProgram } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";
import { blocksOf, PAGES } from "./pages.js";

const NPX = `npx() { shift; "${process.execPath}" "${LAUNCHER}" "$@"; }`;
const python = process.env.ATMOREP_TEST_PYTHON;

it.each(PAGES.filter((page) => page.startsWith("docs/guides/")))("%s", async (page) => {
  const folder = tempDir();
  // a clone has the presets and the sample where the pages say
  for (const name of ["configs", "assets"]) symlinkSync(join(ROOT, name), join(folder, name));
  mkdirSync(join(folder, "results"));
  let ran = 0;
  for (const [i, { language, runs, text, line }] of blocksOf(page).entries()) {
    if (!runs || (language === "python" && !python)) continue;
    const outcome = await runBlock(folder, i, language, text);
    expect(outcome.code, `${page}:${line}\n${outcome.stdout.slice(-2000)}${outcome.stderr}`).toBe(0);
    ran++;
  }
  expect(ran).toBeGreaterThan(0);
});

async function runBlock(folder: string, i: number, language: string, text: string) {
  if (language === "sh") return runProgram("bash", ["-ec", `${NPX}\n${text}`], folder);
  if (language === "python") return runProgram(python as string, ["-c", text], folder);
  expect(language).toBe("ts");
  const file = join(folder, `block${i}.ts`);
  writeFileSync(file, text);
  return atmorep(["run", file], folder);
}
