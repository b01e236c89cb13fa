/**
 * Builds the documentation as a site, into site/out:
 *
 *   npm run docs              pages of docs/ and the READMEs, the API from docstrings, then a check of every link
 *   npm run docs -- --serve   and shows it on 127.0.0.1
 *
 * The tools are those of site/package.json, installed here when they are missing. ATMOREP_REPOSITORY, the address of the
 * repository's files such as https://HOST/OWNER/NAME/blob/main, turns links to sources into links; else they are names.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../bin/build.js";
import { install } from "../bin/install.js";
import { checkLinks } from "./links.mjs";
import { stagePages } from "./pages.mjs";

const SITE = join(ROOT, "site");
const PAGES = join(SITE, "pages");
const OUT = join(SITE, "out");

function tool(name, ...args) {
  const { status, error } = spawnSync(process.execPath, [join(SITE, "node_modules", ...name), ...args], {
    cwd: SITE,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(error?.message ?? `${name.at(-1)} failed`);
}

try {
  await install(SITE, "150 MB");
  for (const folder of [PAGES, OUT]) rmSync(folder, { recursive: true, force: true });
  stagePages(ROOT, PAGES, process.env.ATMOREP_REPOSITORY ?? null);
  tool(["typedoc", "bin", "typedoc"], "--options", "typedoc.json");
  tool(["vitepress", "bin", "vitepress.js"], "build", ".");
  const { pages, links, broken } = checkLinks(OUT);
  for (const line of broken) process.stderr.write(`broken: ${line}\n`);
  process.stdout.write(`site/out: ${pages} pages, ${links} internal links, ${broken.length} broken\n`);
  if (broken.length > 0) process.exitCode = 1;
  else if (process.argv.includes("--serve")) tool(["vitepress", "bin", "vitepress.js"], "preview", ".");
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
