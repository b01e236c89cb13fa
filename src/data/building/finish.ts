/** The end of work whose units are all done: what else the folder holds, and its place. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, syncFolder, syncTree, takePlace, withAtomicFile } from "../../formats/atomic.js";
import { ZipWriter } from "../../formats/zip/writer.js";
import { filesBelow, trackedSink } from "./files.js";
import { kindOf } from "./kinds.js";
import { cameMeanwhile, formerOf, placeZip, type Stored, storeOf, unfinishedFolder, zipOf } from "./unfinished.js";

/** Writes all but the units' files, and puts the result in its place. */
export async function finish(
  { kind, layout, place, replace }: Stored,
  out: string,
  results: readonly unknown[],
): Promise<void> {
  const folder = unfinishedFolder(out);
  const store = storeOf(folder);
  const own = await kindOf(kind);
  await own.finish(layout, results, trackedSink(store), place);
  // Contents are on disk since they were written.
  await syncTree(store, false);
  if (!replace && existsSync(out)) throw cameMeanwhile(out);
  if (out.toLowerCase().endsWith(".zip")) {
    await zip(store, zipOf(folder));
    await placeZip(folder, out, replace);
  } else {
    await makeFolder(join(out, ".."));
    await takePlace(store, out, formerOf(folder));
    await syncFolder(join(out, ".."));
  }
  await own.after?.(layout, place);
}

async function zip(store: string, out: string): Promise<void> {
  await withAtomicFile(out, async (file) => {
    const writer = new ZipWriter(file);
    for (const name of await filesBelow(store)) await writer.add(name, await readFile(join(store, name)));
    await writer.finish();
  });
}
