/** Writing PyTorch state dicts as `torch.save` does: a zip of stored entries on 64-byte boundaries. */
import { basename } from "node:path";
import { crc32 } from "node:zlib";
import { AtmorepError } from "../../errors.js";
import { type AtomicFile, withAtomicFile } from "../atomic.js";
import { checkSize } from "../safetensors.js";
import { numElements, type TensorSpec } from "../tensors.js";
import { ZipWriter } from "../zip/writer.js";
import { type PickledTensor, pickleStateDict } from "./pickle.js";

const ALIGNMENT = 64;

export interface TorchOptions {
  /** PyTorch's `_metadata`: every module path and its version; by default the paths that the names imply, version 1 */
  moduleVersions?: Map<string, number> | null;
}

/**
 * Writes a state dict that `torch.load(path, weights_only=True)` reads, tensor by tensor, atomically.
 * A tensor with `aliasOf` shares the storage of that earlier one and is not read. Equal tensors and names give
 * equal bytes.
 */
export async function writeTorch(
  path: string,
  tensors: readonly TensorSpec[],
  options: TorchOptions = {},
): Promise<void> {
  await withAtomicFile(path, (file) => fillTorch(file, tensors, options));
}

/** Writes the same into a file that its owner commits. */
export async function fillTorch(
  file: AtomicFile,
  tensors: readonly TensorSpec[],
  { moduleVersions }: TorchOptions = {},
): Promise<void> {
  const pickled = assignStorages(tensors);
  const folder = basename(file.path).replace(/\.[^.]*$/, "") || "archive";
  const names: string[] = [];
  const zip = new ZipWriter(file, { align: ALIGNMENT });
  let checksum = 0;
  const add = async (name: string, data: Uint8Array | string) => {
    names.push(name);
    if (typeof data !== "string") checksum = crc32(data, checksum);
    await zip.add(`${folder}/${name}`, data);
  };
  await add("data.pkl", pickleStateDict(pickled, moduleVersions ?? impliedModules(tensors.map((t) => t.name))));
  await add(".format_version", "1");
  await add(".storage_alignment", String(ALIGNMENT));
  await add("byteorder", "little");
  for (const [i, tensor] of tensors.entries()) {
    if (tensor.aliasOf !== undefined) continue;
    const bytes = await tensor.read();
    checkSize(tensor, bytes);
    await add(`data/${pickled[i].storageKey}`, bytes);
  }
  await add("version", "3\n");
  await add(".data/serialization_id", serializationId(names, checksum));
  await zip.finish();
}

function assignStorages(tensors: readonly TensorSpec[]): PickledTensor[] {
  const keys = new Map<string, string>();
  let storages = 0;
  return tensors.map((tensor) => {
    const known = tensor.aliasOf === undefined ? undefined : keys.get(tensor.aliasOf);
    if (tensor.aliasOf !== undefined && known === undefined) {
      throw new AtmorepError("failed", `the tensor repeats ${tensor.aliasOf}, which does not come before it`, {
        where: tensor.name,
      });
    }
    const storageKey = known ?? String(storages++);
    keys.set(tensor.name, storageKey);
    return { ...tensor, storageKey, storageSize: numElements(tensor.shape) };
  });
}

/** Every module path on the way to a parameter, parents before children, in the order of the names. */
function impliedModules(names: readonly string[]): Map<string, number> {
  const versions = new Map<string, number>([["", 1]]);
  for (const name of names) {
    const parts = name.split(".");
    for (let n = 1; n < parts.length; n++) versions.set(parts.slice(0, n).join("."), 1);
  }
  return versions;
}

/** 40 digits as in PyTorch's files: half from the entries' names, half from their content. */
function serializationId(names: readonly string[], checksum: number): string {
  return String(crc32(names.join("\n"))).padStart(20, "0") + String(checksum).padStart(20, "0");
}
