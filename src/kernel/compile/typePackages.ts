/** Packages of type declarations whose globals cells see. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const SCOPE = "@types/";

/**
 * Node's, and those that a `package.json` in `folder` or above asks for. TypeScript 5 takes all that are installed,
 * many of them for the sake of other packages; those serve imports only, as from TypeScript 6 on.
 * @param roots folders of such packages
 */
export function typePackages(folder: string, roots: readonly string[]): string[] {
  const names = new Set(["node"]);
  for (let at = folder; ; at = dirname(at)) {
    for (const name of dependenciesIn(join(at, "package.json"))) {
      if (name.startsWith(SCOPE)) names.add(name.slice(SCOPE.length));
    }
    if (at === dirname(at)) break;
  }
  return [...names].filter((name) => roots.some((root) => existsSync(join(root, name))));
}

function dependenciesIn(file: string): string[] {
  try {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(file, "utf8"));
    return Object.keys({ ...dependencies, ...devDependencies });
  } catch {
    return [];
  }
}
