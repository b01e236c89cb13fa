/** Patterns of files: `*` and `?` within a part of the path, `**` for any folders. */
import { readdir, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { isPattern, isUrl, namePattern } from "../../config/resolve.js";
import { AtmorepError } from "../../errors.js";

/**
 * The paths that some names mean: patterns become the paths that fit them, in order, others stay.
 * @param folder that relative names start from; null leaves them
 * @throws AtmorepError (input) for a pattern that nothing fits
 */
export async function expandPaths(names: readonly string[], folder: string | null): Promise<string[]> {
  const out: string[] = [];
  for (const name of names) {
    if (isUrl(name)) out.push(name);
    else {
      const path = folder === null ? name : resolve(folder, name);
      if (isPattern(path) && !(await isThere(path))) out.push(...(await expand(path)));
      else out.push(path);
    }
  }
  return [...new Set(out)];
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

async function expand(pattern: string): Promise<string[]> {
  const first = pattern.search(/[*?]/);
  const at = pattern.lastIndexOf(sep, first) + 1;
  const found = (await below(pattern.slice(0, at) || ".", pattern.slice(at).split(sep).filter(Boolean))).sort();
  if (found.length > 0) return found;
  throw new AtmorepError("input", "no file fits the pattern", {
    where: pattern,
    expected: "paths with * and ? within a name, ** for any folders",
    fix: "Put the pattern in quotes, so that the shell leaves it as it is, and look at the folder",
  });
}

async function below(folder: string, [part, ...rest]: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const place = (name: string) => (folder === "." ? name : join(folder, name));
  const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  if (part === "**") {
    const here = await below(folder, rest.length > 0 ? rest : ["*"]);
    const deeper = await Promise.all(
      entries.filter((entry) => entry.isDirectory()).map(({ name }) => below(place(name), [part, ...rest])),
    );
    return [...new Set([...here, ...deeper.flat()])];
  }
  const fits = namePattern(part);
  const named = (rest.length === 0 ? entries : folders).filter(({ name }) => fits.test(name));
  if (rest.length === 0) return named.map(({ name }) => place(name));
  return (await Promise.all(named.map(({ name }) => below(place(name), rest)))).flat();
}
