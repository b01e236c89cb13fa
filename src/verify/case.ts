/** Finding and reading the cases of a golden folder. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AtmorepError } from "../errors.js";
import { readSafetensors } from "../formats/safetensors.js";
import type { GoldenCase } from "./types.js";

/** Names of the cases of a golden folder: the folders that hold a `manifest.json`, sorted. */
export async function listCases(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause) => {
    throw new AtmorepError("input", "cannot read the golden folder", { where: dir, cause });
  });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(dir, entry.name, "manifest.json")))
    .map((entry) => entry.name)
    .sort();
}

/** Reads one case. `file_path` of its configuration is taken from `dir`; a store may also be a zip beside it. */
export async function readCase(dir: string, name: string): Promise<GoldenCase> {
  const folder = join(dir, name);
  const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
  const tensorFile = join(folder, "tensors.safetensors");
  const store = join(dir, manifest.config?.file_path ?? "store.zarr");
  return {
    name,
    dir: folder,
    config: manifest.config ?? {},
    values: manifest.values ?? {},
    tensors: existsSync(tensorFile) ? await readSafetensors(tensorFile) : new Map(),
    storePath: existsSync(store) ? store : `${store}.zip`,
  };
}
