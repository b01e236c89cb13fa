/** Tensors: shape, type, statistics and a corner. Knows them by their form, whichever library made them. */

export interface TensorLike {
  shape: number[];
  dtype: string;
  data(): Promise<ArrayLike<number | string>>;
}

const CORNER = 6;

export function isTensor(value: unknown): value is TensorLike {
  if (typeof value !== "object" || value === null) return false;
  const { shape, dtype, data, rank } = value as Record<string, unknown>;
  return Array.isArray(shape) && typeof dtype === "string" && typeof data === "function" && typeof rank === "number";
}

export async function describeTensor(tensor: TensorLike): Promise<string> {
  const head = `Tensor ${tensor.dtype} [${tensor.shape.join(", ")}]`;
  if ((tensor as { isDisposed?: boolean }).isDisposed === true) return `${head}, disposed`;
  const values = await tensor.data();
  const lines = [head];
  if (tensor.dtype !== "string" && values.length > 0) lines.push(statistics(values as ArrayLike<number>));
  lines.push(corner(values, tensor.shape));
  return lines.join("\n");
}

/** `min 0, mean 1, max 2, std 1`, and how many are not finite. */
export function statistics(values: ArrayLike<number>): string {
  let [min, max, sum, squares, finite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    finite++;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  const mean = sum / finite;
  for (let i = 0; i < values.length; i++) {
    const difference = values[i] - mean;
    if (Number.isFinite(difference)) squares += difference * difference;
  }
  const parts =
    finite === 0
      ? []
      : [`min ${short(min)}`, `mean ${short(mean)}`, `max ${short(max)}`, `std ${short(Math.sqrt(squares / finite))}`];
  if (finite < values.length) parts.push(`${values.length - finite} not finite`);
  return parts.join(", ");
}

/** The first rows and columns of the last two axes, at index 0 of the others. */
function corner(values: ArrayLike<number | string>, shape: readonly number[]): string {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.at(-2) ?? 1;
  const cells: string[][] = [];
  for (let r = 0; r < Math.min(rows, CORNER); r++) {
    const row: string[] = [];
    for (let c = 0; c < Math.min(columns, CORNER); c++) row.push(show(values[r * columns + c]));
    if (columns > CORNER) row.push("...");
    cells.push(row);
  }
  const width = Math.max(0, ...cells.flat().map((cell) => cell.length));
  const lines = cells.map((row) => `  ${row.map((cell) => cell.padStart(width)).join("  ")}`);
  if (rows > CORNER) lines.push("  ...");
  return lines.join("\n");
}

function show(value: number | string | undefined): string {
  return typeof value === "number" ? short(value) : String(value);
}

/** Four significant digits. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
