/** What `npm pack` takes: every file that it should, and no other. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { ROOT, runProgram } from "../support/cli.js";

let packed: string[];
let bytes: number;

beforeAll(async () => {
  const { code, stdout, stderr } = await runProgram("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], ROOT);
  expect(code, stderr).toBe(0);
  const [{ files, unpackedSize }] = JSON.parse(stdout);
  packed = files.map(({ path }: { path: string }) => path);
  bytes = unpackedSize;
});

const FOLDERS = ["bin", "configs", "assets", "docs", "notebooks", "scripts/slurm"];
const FILES = [
  ...["package.json", "LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "FEATURES.md", "SECURITY.md", "CITATION.cff"],
];

it("outside of dist/ it takes what the repository has in these folders, tutorials and documentation among them", () => {
  const tracked = existsSync(join(ROOT, ".git"))
    ? execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", ...FOLDERS], { cwd: ROOT })
        .toString()
        .trim()
        .split("\n")
    : FOLDERS.flatMap((folder) =>
        readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length)),
      );
  expect(packed.filter((path) => !path.startsWith("dist/")).sort()).toEqual([...tracked, ...FILES].sort());
});

it("dist/ has the program and the types of every source, and nothing else", () => {
  const built = new Set(packed.filter((path) => path.startsWith("dist/")));
  const sources = readdirSync(join(ROOT, "src"), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => `dist/${name.slice(0, -3)}`);
  for (const name of sources)
    for (const end of [".js", ".d.ts"]) expect(built.has(`${name}${end}`), name + end).toBe(true);
  expect([...built].filter((path) => !/\.(js|d\.ts)$/.test(path))).toEqual([]);
});

it("stays small", () => expect(bytes).toBeLessThan(20e6));
