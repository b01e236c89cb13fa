/** One snapshot of an Icechunk repository as the files of a Zarr store. */
import { nearestName } from "../../../config/nearest.js";
import { AtmorepError, isAtmorepError } from "../../../errors.js";
import { type Version, versionText, withVersion } from "../address.js";
import { ifForbidden } from "../http/request.js";
import { type ByteSource, METADATA_BYTES, tooLarge } from "../types.js";
import { type IcechunkRepository, type IcechunkSession, type IcechunkStorage, loadIcechunk } from "./package.js";
import { s3Storage } from "./s3.js";
import { backendOf, Faults } from "./storage.js";

const MAIN: Version = { kind: "branch", name: "main" };

/** True if a place holds a repository: of format 2 its object `repo`, of format 1 its main branch. */
export async function isRepository(source: ByteSource): Promise<boolean> {
  for (const key of ["/repo", "/refs/branch.main/ref.json"] as const) {
    if (await source.get(key).catch(ifForbidden(undefined))) return true;
  }
  return false;
}

/**
 * Opens a version of a repository, by default the head of the branch `main`. It stays what it is while it is open, and
 * `pinned` names it for good.
 * @param files of the repository; null: `place` is `s3://bucket/prefix`
 * @throws AtmorepError (input) without the package, for a version that is not there, and for a damaged repository
 */
export async function icechunkSource(
  place: string,
  version: Version | null,
  files: { heads: ByteSource; objects: ByteSource } | null,
): Promise<ByteSource> {
  const { Storage, Repository } = loadIcechunk(place);
  const faults = new Faults();
  const storage: IcechunkStorage = files
    ? Storage.newCustom(backendOf(files.heads, files.objects, faults))
    : s3Storage(Storage, place);
  const repository = await Repository.open(storage).catch((error) => {
    throw faults.of(error) ?? damaged(place, error);
  });
  const session = await openVersion(repository, version ?? MAIN, place, faults);
  const pinned = withVersion(place, { kind: "snapshot", name: session.snapshotId });
  const { store } = session;

  const ask = async (key: string, read: () => Promise<Uint8Array | null>, limit: number) => {
    let bytes: Uint8Array | null;
    try {
      bytes = await read();
    } catch (error) {
      if (isNoKey(error)) return undefined;
      throw faults.of(error) ?? damaged(`${pinned}${key}`, error);
    }
    if (bytes && bytes.length > limit) throw tooLarge(`${pinned}${key}`, bytes.length, limit);
    // memory of its own: typed arrays are laid over it
    return bytes ? Uint8Array.from(bytes) : undefined;
  };
  return {
    remote: false,
    pinned,
    get: (key, limit = METADATA_BYTES) => ask(key, () => store.get(key.slice(1)), limit),
    getRange: (key, range, limit = METADATA_BYTES) => ask(key, () => store.getRange(key.slice(1), range), limit),
    folders: async (path) => (await store.listDir(path.slice(1))).filter((name) => name !== "zarr.json"),
    async forget(key) {
      await files?.objects.forget?.(key);
    },
    async close() {
      await files?.heads.close();
      await files?.objects.close();
    },
  };
}

/** Names that no node of a Zarr store of format 3 has are asked for too. */
const isNoKey = (error: unknown) => /invalid zarr key|node not found/i.test((error as Error).message);

async function openVersion(
  repository: IcechunkRepository,
  version: Version,
  place: string,
  faults: Faults,
): Promise<IcechunkSession> {
  const { kind, name } = version;
  try {
    return await repository.readonlySession({ [kind === "snapshot" ? "snapshotId" : kind]: name });
  } catch (error) {
    const fault = faults.of(error);
    if (fault) throw fault;
    if (!/not found|Invalid (ObjectId|.*id)/i.test((error as Error).message)) throw damaged(place, error);
    const names =
      kind === "snapshot"
        ? []
        : await (kind === "tag" ? repository.listTags() : repository.listBranches()).catch(() => []);
    const near = nearestName(name, names);
    throw new AtmorepError("input", `the repository has no ${kind} of this name`, {
      where: place,
      found: versionText(version),
      expected: names.length > 0 ? `one of ${names.slice(0, 20).join(", ")}` : undefined,
      fix:
        kind === "snapshot"
          ? "It has expired, or is of another repository: name a branch or a tag, such as #branch=main"
          : near
            ? `Did you mean ${near}?`
            : "Name another one after #, such as #branch=main, #tag=v1 or #snapshot=ID",
      cause: error,
    });
  }
}

function damaged(where: string, error: unknown): AtmorepError {
  if (isAtmorepError(error)) return error;
  const found = (error as Error).message.split(/\n\s*\n?context:/)[0].trim();
  const what = /repository doesn't exist/.test(found)
    ? { message: "there is no Icechunk repository", fix: "Is it the right place?" }
    : /object store|service error/.test(found)
      ? { message: "the store of the repository does not give it", fix: S3_FIX }
      : { message: "the Icechunk repository cannot be read", fix: DAMAGE_FIX };
  return new AtmorepError("input", what.message, { where, found, fix: what.fix, cause: error });
}

const S3_FIX = "Region, server and credentials come from AWS_REGION, AWS_ENDPOINT_URL and the usual places of AWS";
const DAMAGE_FIX =
  "It is damaged or not complete, or its chunks lie elsewhere (virtual ones, which are not read): copy it again, or name another snapshot";
