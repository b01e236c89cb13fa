/** Copies of golden cases with something changed: `verify` must notice. */
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GOLDEN_DIR } from "./golden.js";
import { tempDir } from "./tempDir.js";

/** A golden folder that holds copies of `names` and the store. */
export function goldenCopy(...names: string[]): string {
  const dir = tempDir();
  for (const name of names) cpSync(join(GOLDEN_DIR, name), join(dir, name), { recursive: true });
  symlinkSync(join(GOLDEN_DIR, "store.zarr.zip"), join(dir, "store.zarr.zip"));
  return dir;
}

/** Changes one number of every tensor whose name matches `pattern`. @returns how many tensors were changed */
export function corruptTensors(dir: string, name: string, pattern: RegExp): number {
  const path = join(dir, name, "tensors.safetensors");
  const file = readFileSync(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  let changed = 0;
  for (const [tensor, { dtype, data_offsets }] of Object.entries(header)) {
    if (!pattern.test(tensor) || data_offsets[1] === data_offsets[0]) continue;
    const at = 8 + headerLength + data_offsets[0];
    if (dtype === "F32") file.writeFloatLE(file.readFloatLE(at) * 1.5 + 1, at);
    else if (dtype === "F64") file.writeDoubleLE(file.readDoubleLE(at) * 1.5 + 1, at);
    else file[at] ^= 1;
    changed++;
  }
  writeFileSync(path, file);
  return changed;
}

/** Changes one number of the manifest: `edit` gets the parsed manifest and alters it in place. */
export function corruptManifest(dir: string, name: string, edit: (manifest: Record<string, unknown>) => void): void {
  const path = join(dir, name, "manifest.json");
  if (!existsSync(path)) throw new Error(`no manifest in ${name}`);
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  edit(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}
