/** What is installed is what was locked, and no package runs a script when it is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../support/cli.js";

interface Locked {
  version?: string;
  integrity?: string;
  link?: boolean;
  resolved?: string;
  hasInstallScript?: boolean;
}

function entriesOf(file: string): [path: string, locked: Locked][] {
  const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(join(ROOT, file), "utf8"));
  return Object.entries(lock.packages).filter(([path]) => path !== "");
}

const entries = entriesOf("package-lock.json");

/** The site's tools are a project of their own. */
const LOCKS = ["package-lock.json", "site/package-lock.json"];

it.each(LOCKS)("%s has an integrity for every package, and names no other place than the registry", (file) => {
  const entries = entriesOf(file);
  const without = entries.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""));
  expect(without.map(([path]) => path)).toEqual([]);
  const elsewhere = entries.filter(([, { resolved, link }]) => link || (resolved && !resolved.startsWith("https://")));
  expect(elsewhere).toEqual([]);
});

it("install scripts are off, and those that there would be are the ones that docs/security.md speaks of", () => {
  for (const file of [".npmrc", "site/.npmrc"]) {
    expect(readFileSync(join(ROOT, file), "utf8"), file).toMatch(/^ignore-scripts=true$/m);
  }
  const scripts = entries.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  expect(scripts.map((path) => path.replace(/^node_modules\//, ""))).toEqual([
    "@tensorflow/tfjs-node-gpu",
    "core-js",
    "koffi",
    "zeromq",
  ]);
  const text = readFileSync(join(ROOT, "docs", "security.md"), "utf8");
  for (const path of scripts) expect(text).toContain(`\`${path.replace(/^node_modules\//, "")}\``);
});
