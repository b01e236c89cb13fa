/** Finding and reading the cases of a golden folder. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readJsonBounded } from "../budgets.js";
import { AtmorepError } from "../errors.js";
import { readSafetensors } from "../formats/safetensors.js";
import type { GoldenCase } from "./types.js";

interface Manifest {
  config?: Record<string, unknown>;
  values?: Record<string, unknown>;
  tensors?: Record<string, { shape: number[] }>;
}

/** Names of the cases of a golden folder: the folders that hold a `manifest.json`, sorted. */
export async function listCases(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause) => {
    throw new AtmorepError("input", "cannot read the golden folder", { where: dir, cause });
  });
  return entries
    .filter((entry) => existsSync(join(dir, entry.name, "manifest.json")))
    .map((entry) => entry.name)
    .sort();
}

/**
 * Reads one case. `file_path` of its configuration is taken from `dir`, then from the current folder; a store may
 * also be a zip beside it.
 * @throws AtmorepError (input) if the manifest or a tensor that it lists is missing or damaged
 */
export async function readCase(dir: string, name: string): Promise<GoldenCase> {
  const folder = join(dir, name);
  const manifest = await readManifest(join(folder, "manifest.json"));
  const tensorFile = join(folder, "tensors.safetensors");
  const tensors = existsSync(tensorFile) ? await readSafetensors(tensorFile) : new Map();
  for (const [tensor, { shape }] of Object.entries(manifest.tensors ?? {})) {
    const found = tensors.get(tensor)?.shape;
    if (JSON.stringify(found) !== JSON.stringify(shape)) {
      throw new AtmorepError("input", `tensor ${tensor} is not as the manifest says`, {
        where: tensorFile,
        found: found ?? "nothing",
        expected: `shape [${shape.join(", ")}]`,
      });
    }
  }
  return {
    name,
    dir: folder,
    config: manifest.config ?? {},
    values: manifest.values ?? {},
    tensors,
    storePath: findStore(dir, String(manifest.config?.file_path ?? "store.zarr")),
  };
}

async function readManifest(path: string): Promise<Manifest> {
  try {
    return (await readJsonBounded(path)) as Manifest;
  } catch (cause) {
    throw new AtmorepError("input", "the manifest cannot be read", {
      where: path,
      found: (cause as Error).message,
      cause,
    });
  }
}

function findStore(dir: string, filePath: string): string {
  const places = [resolve(dir, filePath), resolve(filePath)].flatMap((path) => [path, `${path}.zip`]);
  return places.find((path) => existsSync(path)) ?? places[0];
}
