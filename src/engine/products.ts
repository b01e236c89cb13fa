/** In which precision large products of matrices are computed, as the user asks for it. */
import { AtmorepError } from "../errors.js";

const VARIABLE = "ATMOREP_PRODUCTS";

/** Parts of bfloat16 that stand for each number; null: float32 as it is. */
const PRECISIONS: ReadonlyMap<string, 1 | 2 | 3 | null> = new Map([
  ["float32", null],
  ["bf16x3", 3],
  ["bf16x2", 2],
  ["bf16", 1],
]);

/** What `ATMOREP_PRODUCTS` asks for. */
export interface AskedProducts {
  name: string;
  parts: 1 | 2 | 3;
}

/**
 * What the environment asks for: null if it is float32.
 * @throws AtmorepError `usage` for a precision that does not exist
 */
export function askedProducts(env: Readonly<Record<string, string | undefined>> = process.env): AskedProducts | null {
  const name = env[VARIABLE] || "float32";
  const parts = PRECISIONS.get(name);
  if (parts === undefined) {
    throw new AtmorepError("usage", "not a precision of products", {
      where: VARIABLE,
      found: name,
      expected: [...PRECISIONS.keys()].join(", "),
    });
  }
  return parts === null ? null : { name, parts };
}

/** The error where such products are asked for and cannot be had. */
export const noSuchProducts = ({ name }: AskedProducts, why: string): AtmorepError =>
  new AtmorepError("usage", "products of bfloat16 numbers cannot be computed here", {
    where: `${VARIABLE}=${name}`,
    found: why,
    expected: "own kernels, on a processor with Intel AMX under Linux",
    fix: `Unset ${VARIABLE} for float32.`,
  });
