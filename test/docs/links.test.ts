/** Every link within the repository's pages leads somewhere, and no page or comment asks for a file outside of it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../support/cli.js";
import { PAGES, textOf } from "./pages.js";

const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "code");

/** The anchors that GitHub and the site give headings: lower case, without punctuation, blanks to hyphens. */
const anchorsOf = (page: string) =>
  new Set(
    [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );

it.each(PAGES)("the links of %s", (page) => {
  const broken: string[] = [];
  for (const [, target] of withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^(?:https?|mailto):/.test(target)) continue;
    const [path, anchor] = target.split("#");
    const file = path === "" ? page : normalize(join(dirname(page), path));
    if (file.startsWith("..") || !existsSync(join(ROOT, file))) broken.push(target);
    else if (anchor && !anchorsOf(file).has(anchor)) broken.push(target);
  }
  expect(broken).toEqual([]);
});

const sources = ["src", "bin", "scripts", "bench"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true })
    .map((name) => `${folder}/${String(name)}`)
    .filter((name) => /\.(ts|mjs|js|py)$/.test(name)),
);

it("pages that sources name are there, and none points to a description outside of the repository", () => {
  const missing: string[] = [];
  for (const source of sources) {
    const text = readFileSync(join(ROOT, source), "utf8");
    for (const [name] of text.matchAll(/\bdocs\/[\w/-]+\.md\b/g)) {
      if (!existsSync(join(ROOT, name))) missing.push(`${source}: ${name}`);
    }
    if (/\bspec sections?\b|\bspec\/\w+\.md|interfaces\.md/i.test(text))
      missing.push(`${source}: a description elsewhere`);
  }
  expect(missing).toEqual([]);
});

it("the messages of docs/troubleshooting.md are those of the program", () => {
  const program = [...sources.map((path) => readFileSync(join(ROOT, path), "utf8"))].join("\n");
  const messages = [...textOf("docs/troubleshooting.md").matchAll(/^\| `([^`]+)` \|/gm)].map(([, message]) => message);
  expect(messages.length).toBeGreaterThan(20);
  expect(messages.filter((message) => !program.includes(message))).toEqual([]);
});
