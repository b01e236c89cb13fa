/** Weight files of either kind: told by their first bytes, opened, converted. */
import { AtmorepError } from "../errors.js";
import { openSafetensors, writeSafetensors } from "./safetensors.js";
import type { TensorFile, TensorSpec } from "./tensors.js";
import { openTorch } from "./torch/reader.js";
import { writeTorch } from "./torch/writer.js";
import { openFile } from "./zip/reader.js";

export type WeightFormat = TensorFile["format"];

const ENDINGS: readonly [RegExp, WeightFormat][] = [
  [/\.(mod|pt|pth|bin)$/, "torch"],
  [/\.safetensors$/, "safetensors"],
];

/** The format a file to be written gets, by its ending. @throws AtmorepError (usage) */
function formatOfPath(path: string): WeightFormat {
  const format = ENDINGS.find(([ending]) => ending.test(path))?.[1];
  if (format) return format;
  throw new AtmorepError("usage", "the ending does not say which format to write", {
    where: path,
    expected: ".mod, .pt or .pth for PyTorch, or .safetensors",
  });
}

/** Opens a weights file without reading its tensors. @throws AtmorepError (input) */
export async function openWeights(path: string): Promise<TensorFile> {
  const handle = await openFile(path);
  const first = Buffer.alloc(9);
  try {
    await handle.read(first, 0, 9, 0);
  } catch (cause) {
    throw new AtmorepError("input", "the file cannot be read", { where: path, found: String(cause), cause });
  } finally {
    await handle.close();
  }
  return first[8] === 0x7b && first.readUInt32LE(0) !== 0x04034b50 ? openSafetensors(path) : openTorch(path);
}

/** Writes named tensors in the format of the path's ending. */
export async function writeWeights(
  path: string,
  tensors: readonly TensorSpec[],
  moduleVersions: Map<string, number> | null = null,
  metadata: Record<string, string> = {},
): Promise<void> {
  if (formatOfPath(path) === "torch") await writeTorch(path, tensors, { moduleVersions });
  else await writeSafetensors(path, tensors, { moduleVersions, metadata });
}

/**
 * Converts a weights file, tensor by tensor: names, order, shapes, dtypes and bits stay, as do shared storages and
 * PyTorch's module versions. In a safetensors file that says nothing of sharing, a tensor whose name `original` gives
 * another name for shares the storage of that one if both are equal.
 * @param metadata further entries of a safetensors file's `__metadata__`
 * @returns the number of tensors
 */
export async function convertWeights(
  input: string,
  output: string,
  original: (name: string) => string = (name) => name,
  metadata: Record<string, string> = {},
): Promise<number> {
  formatOfPath(output);
  const file = await openWeights(input);
  try {
    const aliases = await sharedNames(file, original);
    const tensors = file.tensors.map((info): TensorSpec => {
      const aliasOf = info.aliasOf ?? aliases.get(info.name);
      const read = async () => (await file.read(info.name)).bytes;
      return aliasOf === undefined ? { ...info, read } : { ...info, aliasOf, read };
    });
    await writeWeights(output, tensors, file.moduleVersions, metadata);
    return tensors.length;
  } finally {
    await file.close();
  }
}

async function sharedNames(file: TensorFile, originalOf: (name: string) => string): Promise<Map<string, string>> {
  const aliases = new Map<string, string>();
  if (file.format === "torch") return aliases;
  const place = new Map(file.tensors.map(({ name }, i) => [name, i]));
  for (const [i, { name, aliasOf }] of file.tensors.entries()) {
    const original = originalOf(name);
    if (aliasOf !== undefined || original === name || !((place.get(original) ?? i) < i)) continue;
    const [a, b] = [await file.read(name), await file.read(original)];
    if (a.dtype === b.dtype && a.shape.join() === b.shape.join() && Buffer.compare(a.bytes, b.bytes) === 0) {
      aliases.set(name, original);
    }
  }
  return aliases;
}
