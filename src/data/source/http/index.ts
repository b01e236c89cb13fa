/**
 * A store below an http address. Within one run an address has one content: what has been read once is read from disk,
 * and a server that sends something else later is an error. The next run asks whether what was kept still holds.
 */
import { randomUUID } from "node:crypto";
import { AtmorepError } from "../../../errors.js";
import { type ByteSource, METADATA_BYTES, sliceRange } from "../types.js";
import { authorizationFor } from "./credentials.js";
import { cacheFolder, DiskCache, type Entry, sha256 } from "./diskCache.js";
import { type Answer, get, ifForbidden, nameOf, type Server } from "./request.js";

/** Buckets that may not be listed answer 403 for files that are not there; these are asked for to see whether they are. */
const PROBES = new Set(["/zarr.json", "/.zmetadata"]);
/** A whole file sent instead of a part is cut here; larger ones would be read again for every part. */
const WHOLE_BYTES = 2 ** 26;
/** Last-Modified tells whole seconds: younger than this at the time of the answer, it does not tell versions apart. */
const SETTLED_MS = 60_000;

const isOffline = () => process.env.ATMOREP_OFFLINE === "1";

interface Part {
  /** name of the entry in the cache */
  name: string;
  url: URL;
  /** the Range header; undefined: the whole */
  range?: string;
  limit: number;
}

/**
 * Query parameters of the address (such as signatures) go with every request. 404 means that there is no such key; what
 * may pass is tried again for minutes, then reported. `ATMOREP_OFFLINE=1` reads what was kept and asks nobody.
 * @param session of one run: its reads, in all its threads, must agree with each other
 * @param again another thread of the run has read there: a server that does not answer is waited for from the start
 * @throws AtmorepError (usage, input) for an address that names a zip file or holds a password
 */
export function httpSource(address: string, session: string = randomUUID(), again = false): ByteSource {
  const base = new URL(address);
  if (base.pathname.toLowerCase().endsWith(".zip")) {
    throw new AtmorepError("input", "a zip file cannot be read over http", {
      where: nameOf(base),
      fix: "Download it, or serve the unpacked folder",
    });
  }
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const server: Server = {
    origin: base.origin,
    authorization: authorizationFor(base),
    answered: again,
    failingSince: null,
  };
  const cache = cacheFolder().then((folder) => (folder === null ? null : new DiskCache(folder)));
  /** of this source, also without a disk: bytes stay on the disk alone */
  const known = new Map<string, Entry>();

  const partOf = (key: string, limit: number, range?: string): Part => {
    const url = new URL(key.slice(1), base);
    url.search = base.search;
    return { name: range ? `${url.href} ${range}` : url.href, url, range, limit };
  };

  async function read(part: Part): Promise<{ bytes: Uint8Array; whole: boolean } | undefined> {
    const disk = await cache;
    const kept = known.get(part.name) ?? (await disk?.entry(part.name)) ?? null;
    const holds = kept !== null && (isOffline() || kept.session === session);
    if (kept && holds && kept.digest === null) return undefined;
    const bytes = kept && (await disk?.bytes(kept, part.limit));
    if (kept && bytes && holds) return { bytes, whole: kept.whole ?? false };
    if (isOffline()) throw notKept(part);

    const answer = await get(server, part.url, {
      limit: part.range ? Math.max(part.limit, WHOLE_BYTES) : part.limit,
      headers: { ...(part.range && { range: part.range }), ...(kept && bytes && !holds && conditions(kept)) },
    });
    if (kept && bytes && answer.status === 304) {
      await keep(part.name, { ...kept, session }, null);
      return { bytes, whole: kept.whole ?? false };
    }
    const found = entryOf(part, answer, session);
    if (kept?.session === session) assertSame(part, kept, found);
    await keep(part.name, found, found.digest === null ? null : answer.bytes);
    return found.digest === null ? undefined : { bytes: answer.bytes, whole: found.whole ?? false };
  }

  async function keep(name: string, entry: Entry, bytes: Uint8Array | null): Promise<void> {
    known.set(name, entry);
    await (await cache)?.keep(name, entry, bytes);
  }

  return {
    remote: true,
    async get(key, limit = METADATA_BYTES) {
      const bytes = read(partOf(key, limit)).then((found) => found?.bytes);
      return PROBES.has(key) ? bytes.catch(ifForbidden(undefined)) : bytes;
    },
    async getRange(key, range, limit = METADATA_BYTES) {
      const header =
        "suffixLength" in range
          ? `bytes=-${range.suffixLength}`
          : `bytes=${range.offset}-${range.offset + range.length - 1}`;
      const found = await read(partOf(key, limit, header));
      return found && (found.whole ? sliceRange(found.bytes, range) : found.bytes);
    },
    async forget(key) {
      const whole = partOf(key, 0).name;
      for (const name of known.keys()) {
        if (name !== whole && !name.startsWith(`${whole} `)) continue;
        const entry = known.get(name)!;
        // what version it was still counts; what it held does not
        known.set(name, { ...entry, digest: "" });
        await (await cache)?.forget(name);
      }
    },
    async close() {
      await (await cache)?.close();
    },
  };
}

function notKept({ url }: Part): AtmorepError {
  return new AtmorepError("input", "not kept from earlier reads, and the server is not asked", {
    where: nameOf(url),
    fix: "Run once without --offline (ATMOREP_OFFLINE)",
  });
}

/** Headers that ask for the bytes only if they are others than those kept; none if versions cannot be told apart. */
function conditions({ etag, lastModified }: Entry): Record<string, string> {
  if (etag) return { "if-none-match": etag };
  return lastModified ? { "if-modified-since": lastModified } : {};
}

const text = (header: string | string[] | undefined) => (typeof header === "string" ? header : undefined);

function entryOf({ url, range }: Part, { status, headers, bytes }: Answer, session: string): Entry {
  const address = nameOf(url);
  if (status === 404) return { address, digest: null, session };
  if (status === 304) {
    throw new AtmorepError("input", "the server answers that nothing has changed, though it was asked for the file", {
      where: address,
      fix: "A cache in front of the server is at fault; try another address",
    });
  }
  if (status === 416) {
    throw new AtmorepError("input", "the file ends before the part that was asked for", {
      where: address,
      found: range,
      fix: "The store is not complete, or its index is damaged",
    });
  }
  const whole = range !== undefined && status !== 206;
  if (whole && bytes.length > WHOLE_BYTES / 4) {
    throw new AtmorepError("input", "the server does not send parts of files (Range), which shards need", {
      where: address,
      found: `all of ${bytes.length} bytes, status ${status}`,
      fix: "Use another server (nginx, Apache, S3 and Caddy do), or copy the store",
    });
  }
  const modified = text(headers["last-modified"]);
  const asOf = Date.parse(text(headers.date) ?? "") || Date.now();
  const settled = modified !== undefined && asOf - Date.parse(modified) >= SETTLED_MS;
  return {
    address,
    digest: sha256(bytes),
    ...(headers.etag !== undefined && { etag: text(headers.etag) }),
    ...(settled && { lastModified: modified }),
    session,
    ...(whole && { whole }),
  };
}

/** @throws AtmorepError (input) if an address now has another content than before in this run */
function assertSame({ url }: Part, before: Entry, now: Entry): void {
  const strong = (etag: string | undefined) => etag?.replace(/^W\//, "");
  const changed =
    before.digest === ""
      ? before.etag !== undefined && strong(before.etag) !== strong(now.etag)
      : before.digest !== now.digest;
  if (!changed) return;
  throw new AtmorepError("input", "the file changed on the server while it was in use", {
    where: nameOf(url),
    found: now.digest === null ? "it is gone" : (now.etag ?? "other bytes"),
    expected: before.digest === null ? "no such file, as before" : (before.etag ?? "the bytes read before"),
    fix: "Wait until the store is whole and start again; what was saved can be continued",
  });
}
