/** What Icechunk asks of a storage, answered by files in a folder or at an address; nothing is ever written. */
import { type AtmorepError, isAtmorepError } from "../../../errors.js";
import { ifForbidden } from "../http/request.js";
import type { ByteSource } from "../types.js";

/** Of one object: a manifest or a file of chunks. */
const OBJECT_BYTES = 2 ** 31;

interface Asked {
  path: string;
  rangeStart?: number | null;
  rangeEnd?: number | null;
}

/** Faults of reading go through Icechunk as text: what they were is found again by a number in it. */
export class Faults {
  private readonly known: AtmorepError[] = [];

  through(error: unknown): Error {
    if (!isAtmorepError(error)) return error as Error;
    this.known.push(error);
    return new Error(`fault ${this.known.length - 1} of reading: ${error.message}`);
  }

  of(error: unknown): AtmorepError | undefined {
    const match = /fault (\d+) of reading: /.exec((error as Error).message);
    return match ? this.known[Number(match[1])] : undefined;
  }
}

/**
 * @param heads where branches, tags and the repository's own object are read, which commits change
 * @param objects where all else is read, which nothing changes
 */
export function backendOf(heads: ByteSource, objects: ByteSource, faults: Faults): object {
  const get = async ({ path, rangeStart, rangeEnd }: Asked): Promise<Uint8Array> => {
    const source = /^(repo$|config\.yaml$|refs\/)/.test(path) ? heads : objects;
    const key: `/${string}` = `/${path}`;
    const from = Number(rangeStart ?? 0);
    let bytes: Uint8Array | undefined;
    try {
      const read =
        rangeEnd === undefined || rangeEnd === null
          ? source.get(key, OBJECT_BYTES).then((whole) => whole?.subarray(from))
          : source.getRange(key, { offset: from, length: Number(rangeEnd) - from }, OBJECT_BYTES);
      // buckets that may not be listed answer so for what is not there, such as the mark that a tag was deleted
      bytes = source === heads ? await read.catch(ifForbidden(undefined)) : await read;
    } catch (error) {
      throw faults.through(error);
    }
    // the word by which Icechunk knows that there is none
    if (!bytes) throw new Error(`ObjectNotFound: ${path}`);
    return bytes;
  };
  const version = { etag: "unchanged" };
  const never = (what: string) => async () => {
    throw new Error(`${what} is not needed to read`);
  };
  return {
    canWrite: async () => false,
    getObjectRange: async (_: unknown, asked: Asked) => ({ data: await get(asked), version }),
    getObjectConditional: async (_: unknown, { path }: Asked) => ({
      kind: "modified",
      data: await get({ path }),
      newVersion: version,
    }),
    listObjects: async (_: unknown, prefix: string) => {
      if (!objects.folders) throw new Error("an address cannot be listed");
      // asked for by whoever looks which branches and tags a repository of format 1 has
      const names = await objects.folders(`/${prefix}`);
      return names.map((name) => ({ id: `${name}/ref.json`, createdAt: new Date(0), sizeBytes: 0 }));
    },
    getObjectLastModified: never("the time of an object"),
    putObject: never("writing"),
    copyObject: never("copying"),
    deleteBatch: never("deleting"),
  };
}
