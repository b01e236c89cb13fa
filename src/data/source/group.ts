/** A group within a Zarr store, named after `#`: `era5.zarr#pressure/daily`. */
import { formatAddress, splitAddress } from "./address.js";
import { asObject, type Json, parseMetadata } from "./json.js";
import type { ByteSource } from "./types.js";

/**
 * The files below a group. Metadata that are consolidated at the root of the store serve its groups too.
 * @param place of the store, for errors
 */
export function groupSource(source: ByteSource, place: string, group: string): ByteSource {
  const within = (key: `/${string}`): `/${string}` => `/${group}${key}`;
  const own = async (key: `/${string}`): Promise<Json | undefined> => {
    const bytes = await source.get(key);
    return bytes && parseMetadata(bytes, `${place}${key}`);
  };
  const consolidated = async (): Promise<Uint8Array | undefined> => {
    const there = await source.get(within("/.zmetadata"));
    if (there) return there;
    const metadata = below((await own("/.zmetadata"))?.metadata, group);
    return metadata && encode({ metadata, zarr_consolidated_format: 1 });
  };
  const rootOf3 = async (): Promise<Uint8Array | undefined> => {
    const there = await source.get(within("/zarr.json"));
    const root = there && parseMetadata(there, `${place}${within("/zarr.json")}`);
    if (!root || root.node_type === "array" || root.consolidated_metadata) return there;
    const all = asObject((await own("/zarr.json"))?.consolidated_metadata)?.metadata;
    const metadata = below(all, group);
    return metadata ? encode({ ...root, consolidated_metadata: { kind: "inline", metadata } }) : there;
  };
  return {
    remote: source.remote,
    pinned: source.pinned && formatAddress({ ...splitAddress(source.pinned), group }),
    async get(key, limit, lend) {
      if (key === "/.zmetadata") return consolidated();
      if (key === "/zarr.json") return rootOf3();
      return source.get(within(key), limit, lend);
    },
    getRange: (key, range, limit, lend) => source.getRange(within(key), range, limit, lend),
    size: source.size && ((key) => (source.size as NonNullable<ByteSource["size"]>)(within(key))),
    folders: source.folders && ((path) => (source.folders as NonNullable<ByteSource["folders"]>)(within(path))),
    forget: source.forget && ((key) => (source.forget as NonNullable<ByteSource["forget"]>)(within(key))),
    close: () => source.close(),
  };
}

/** The entries below a group, named from it; undefined if there are none. */
function below(all: unknown, group: string): Json | undefined {
  const own = Object.entries(asObject(all) ?? {}).filter(([key]) => key.startsWith(`${group}/`));
  return own.length > 0
    ? Object.fromEntries(own.map(([key, value]) => [key.slice(group.length + 1), value]))
    : undefined;
}

const encode = (value: Json): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
