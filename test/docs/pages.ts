/** The pages of the documentation, and the code in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/cli.js";

const below = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true })
    .map((name) => `${folder}/${String(name)}`)
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"));

/** Paths of all pages, from the root of the repository. */
export const PAGES: readonly string[] = [
  ...["README.md", "CONTRIBUTING.md", "FEATURES.md", "CHANGELOG.md", "SECURITY.md", "notebooks/README.md"],
  ...below("docs"),
  ...below("src"),
].sort();

export const textOf = (page: string): string => readFileSync(join(ROOT, page), "utf8");

export interface Block {
  page: string;
  /** of its first line */
  line: number;
  language: string;
  /** false: "no-run" stands behind the language, since it needs a network, a cluster, a person or data of one's own */
  runs: boolean;
  /** what the comment `<!-- given: ... -->` before it declares, which readers of the page have already */
  given: string;
  text: string;
}

/** The fenced blocks of a page, from top to bottom. */
export function blocksOf(page: string): Block[] {
  const text = textOf(page);
  const fences = /(?:<!-- given: ([\s\S]*?) -->\n\s*)?^```(\S+)([^\n]*)\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(fences)].map((match) => ({
    page,
    line: text.slice(0, match.index + match[0].indexOf("```")).split("\n").length,
    language: match[2],
    runs: !match[3].includes("no-run"),
    given: match[1] ?? "",
    text: match[4],
  }));
}
