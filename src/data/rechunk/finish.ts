/** What a store in other chunks keeps of the former one: every other file as it is, and the metadata of its arrays but for their chunks. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AtmorepError } from "../../errors.js";
import { ZipReader } from "../../formats/zip/reader.js";
import { filesBelow } from "../building/files.js";
import { openSource } from "../source/index.js";
import { commonFolder } from "../source/zip.js";
import { codecsV2, codecsV3 } from "../zarr/encode.js";
import type { StoreSink } from "../zarr/write.js";
import type { RechunkArray, RechunkLayout } from "./layout.js";

type Json = Record<string, unknown>;

/** The root last: without it nothing opens as a store. @param source a folder or a zip file */
export async function finishRechunk(layout: RechunkLayout, source: string, sink: StoreSink): Promise<void> {
  const files = await openFiles(source);
  const late = new Set([".zgroup", ".zattrs", ".zmetadata", "zarr.json"]);
  try {
    for (const name of files.names.filter((other) => !late.has(other))) {
      const array = layout.arrays.find((own) => name.startsWith(`${own.name}/`));
      if (name.startsWith("normalization.unfinished/")) continue;
      if (!array) await sink.put(name, await files.read(name));
      else if (name === `${array.name}/.zattrs`) await sink.put(name, await files.read(name));
      else if (name === `${array.name}/${layout.format === 2 ? ".zarray" : "zarr.json"}`) {
        await sink.put(name, text(metadataOf(JSON.parse(decoded(await files.read(name))), array, layout)));
      }
    }
    for (const name of files.names.filter((other) => late.has(other))) {
      const bytes = await files.read(name);
      const consolidated = name === ".zmetadata" || name === "zarr.json";
      await sink.put(name, consolidated ? text(patched(JSON.parse(decoded(bytes)), layout)) : bytes);
    }
  } finally {
    await files.close();
  }
}

const decoded = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const text = (value: unknown): string => JSON.stringify(value, null, 4);

function metadataOf(former: Json, { to, itemBytes }: RechunkArray, { format, compressor }: RechunkLayout): Json {
  if (format === 2) {
    const { dimension_separator: _, ...rest } = former;
    return { ...rest, chunks: to, dtype: itemBytes === 8 ? "<f8" : "<f4", order: "C", ...codecsV2(compressor) };
  }
  return {
    ...former,
    data_type: itemBytes === 8 ? "float64" : "float32",
    chunk_grid: { name: "regular", configuration: { chunk_shape: to } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    codecs: codecsV3(compressor),
  };
}

/** Consolidated metadata of either format, if there are any. */
function patched(document: Json, layout: RechunkLayout): Json {
  const inner = (layout.format === 2 ? document.metadata : (document.consolidated_metadata as Json)?.metadata) as
    | Json
    | undefined;
  if (!inner) return document;
  const metadata = { ...inner };
  for (const array of layout.arrays) {
    const key = layout.format === 2 ? `${array.name}/.zarray` : array.name;
    if (metadata[key]) metadata[key] = metadataOf(metadata[key] as Json, array, layout);
  }
  if (layout.format === 2) return { ...document, metadata };
  return { ...document, consolidated_metadata: { ...(document.consolidated_metadata as Json), metadata } };
}

/** The files of a store in a folder or a zip file. */
async function openFiles(
  source: string,
): Promise<{ names: string[]; read(name: string): Promise<Uint8Array>; close(): Promise<void> }> {
  if ((await stat(source)).isDirectory()) {
    return { names: await filesBelow(source), read: (name) => readFile(join(source, name)), close: async () => {} };
  }
  const reader = await ZipReader.open(source);
  const entries = [...reader.entries.keys()];
  await reader.close();
  const prefix = commonFolder(entries);
  const all = entries.filter((name) => !name.endsWith("/"));
  const bytes = await openSource(source);
  return {
    names: all.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)),
    async read(name) {
      const content = await bytes.get(`/${name}`, Number.MAX_SAFE_INTEGER);
      if (content) return content;
      throw new AtmorepError("input", "a file of the store is not there any more", {
        where: `${source}: ${name}`,
        fix: "Do not change the store while it is written again; call again with --restart",
      });
    },
    close: () => bytes.close(),
  };
}
