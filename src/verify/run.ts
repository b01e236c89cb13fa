/** Runs the cases of a golden folder one after the other. */
import { AtmorepError } from "../errors.js";
import { listCases, readCase } from "./case.js";
import { KINDS } from "./kinds.js";
import type { Comparison, VerifyOptions } from "./types.js";

export interface CaseResult {
  name: string;
  kind: string;
  ok: boolean;
  /** comparisons made */
  comparisons: number;
  /** comparisons outside their tolerance */
  failed: number;
  /** the comparison with the largest error in units of its tolerance; null if none was made */
  worst: Comparison | null;
  /** why the case could not be run */
  error: string | null;
  milliseconds: number;
}

/** Kind of a case: the part of its name before the first `_`. */
export function caseKind(name: string): string {
  return name.split("_", 1)[0];
}

/** A file-name pattern with `*` (any characters) and `?` (one character) as a regular expression over whole names. */
export function globToRegExp(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}

/**
 * Names of the cases of `dir` that match any of `globs` (all if there is none), sorted.
 * @throws AtmorepError (input) if the folder cannot be read, holds no case, or a pattern matches none
 */
export async function selectCases(dir: string, globs: readonly string[] = []): Promise<string[]> {
  const names = await listCases(dir);
  if (names.length === 0) {
    throw new AtmorepError("input", "no golden case here", {
      where: dir,
      expected: "folders that hold a manifest.json",
    });
  }
  for (const glob of globs) {
    if (!names.some((name) => globToRegExp(glob).test(name))) {
      throw new AtmorepError("usage", "no case matches", {
        where: `--case ${glob}`,
        expected: `a name or pattern of ${names.join(", ")}`,
      });
    }
  }
  if (globs.length === 0) return names;
  return names.filter((name) => globs.some((glob) => globToRegExp(glob).test(name)));
}

/** Runs one case; whatever goes wrong is a failed case, never an exception. */
export async function verifyCase(dir: string, name: string, options: VerifyOptions): Promise<CaseResult> {
  const start = performance.now();
  const kind = caseKind(name);
  const result: CaseResult = {
    name,
    kind,
    ok: false,
    comparisons: 0,
    failed: 0,
    worst: null,
    error: null,
    milliseconds: 0,
  };
  try {
    const entry = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
    if (!entry) throw new Error(`unknown kind ${kind}; known are ${Object.keys(KINDS).join(", ")}`);
    const runner = await entry.load();
    const comparisons = await runner(await readCase(dir, name), options);
    result.comparisons = comparisons.length;
    result.failed = comparisons.filter((c) => !c.ok).length;
    result.worst = worstOf(comparisons);
    if (comparisons.length === 0) result.error = "nothing was compared";
    result.ok = comparisons.length > 0 && result.failed === 0;
  } catch (error) {
    result.error = error instanceof Error ? error.message : String(error);
  }
  result.milliseconds = performance.now() - start;
  return result;
}

function worstOf(comparisons: readonly Comparison[]): Comparison | null {
  let worst: Comparison | null = null;
  for (const c of comparisons) {
    if (!worst || (worst.ok && !c.ok) || (worst.ok === c.ok && c.ratio > worst.ratio)) worst = c;
  }
  return worst;
}

/** One line for people: `ok`, or the tensor with the largest error. */
export function formatResult(result: CaseResult): string {
  const time = `${(result.milliseconds / 1000).toFixed(1)} s`;
  if (result.ok) return `ok    ${result.name} (${result.comparisons} compared, ${time})`;
  if (!result.worst || result.worst.ok) return `FAIL  ${result.name}: ${result.error} (${time})`;
  const { tensor, maxError, ratio, detail } = result.worst;
  const error = Number.isFinite(maxError) ? `largest error ${maxError.toExponential(2)}` : "cannot be compared";
  const times = Number.isFinite(ratio) ? `, ${ratio.toPrecision(3)} times the tolerance` : "";
  const others = result.failed > 1 ? `; ${result.failed} of ${result.comparisons} failed` : "";
  return `FAIL  ${result.name}: ${tensor}: ${error}${times}${detail ? ` (${detail})` : ""}${others} (${time})`;
}
