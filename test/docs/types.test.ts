/** The TypeScript of the pages, checked against the built package as its readers have it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, expect, it } from "vitest";
import { ROOT } from "../support/cli.js";
import { type Block, blocksOf, PAGES } from "./pages.js";

// inside the checkout, so that "atmorep" names the built package
const dir = mkdtempSync(join(ROOT, "test", "docs", ".blocks-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Pages of a room show its own files. */
const ownFiles = (page: string) => page.startsWith("src/");

const blocks = PAGES.flatMap(blocksOf).filter(({ language, page }) => language === "ts" && !ownFiles(page));

it("every block of TypeScript type-checks", () => {
  expect(blocks.length).toBeGreaterThan(5);
  const byFile = new Map<string, Block>();
  for (const [i, block] of blocks.entries()) {
    const file = join(dir, `block${i}.mts`);
    writeFileSync(file, `${block.given}\n${block.text}\nexport {};\n`);
    byFile.set(file, block);
  }
  const program = ts.createProgram([...byFile.keys()], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
  });
  const faults = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const block = byFile.get(file?.fileName ?? "");
    return `${block?.page}:${block?.line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  expect(faults).toEqual([]);
}, 120_000);
