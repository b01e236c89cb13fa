/** A part out of its wheels, in place of what was there. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { AtmorepError } from "../../errors.js";
import { makeFolder, replaceFolder, syncTree } from "../../formats/atomic.js";
import { sha256Of } from "./digest.js";
import { type PartList, writeList } from "./installed.js";
import type { Part } from "./parts.js";
import { type Extraction, extractWheel, wheelEntries } from "./wheel.js";

export interface Unpacking {
  /** the install folder */
  folder: string;
  /** an empty folder on the same disk */
  work: string;
  report: (line: string) => void;
  signal?: AbortSignal;
  /** the wheels have the hashes of the tested ones: they were looked at when they were downloaded */
  areTested?: boolean;
}

/**
 * Unpacks the wanted files of wheels beside the install folder, then puts them in place of the old ones.
 * @throws AtmorepError `input` if the wheels do not hold the part, or are damaged; nothing is changed then
 */
export async function unpackPart(part: Part, wheels: readonly string[], unpacking: Unpacking): Promise<PartList> {
  const { folder, work, report, signal, areTested } = unpacking;
  const list: PartList = { version: part.version, files: [] };
  let complete = false;
  for (const wheel of wheels) {
    const entries = await wheelEntries(wheel);
    const extractions = entries.flatMap((entry): Extraction[] => {
      const file = part.place(entry);
      return file ? [{ entry, file }] : [];
    });
    if (extractions.length === 0) continue;
    if (entries.some((entry) => part.library.test(entry))) {
      complete = true;
      list.version = wheelVersion(entries) ?? part.version;
    }
    report(`unpacking ${basename(wheel)}`);
    // The wheel as it was tested needs no look at its own list, which is wrong in some (eckitlib 2.5.0.33 for Linux).
    const isTested = areTested || testedWheels(part).includes(await sha256Of(wheel, "hex"));
    list.files.push(...(await extractWheel(wheel, extractions, work, { isTested, signal })));
  }
  if (!complete) {
    throw new AtmorepError("input", `no library of ${part.name} in the wheel`, { where: wheels.join(", ") });
  }
  await writeList(work, part.folders[0], list);
  await replace(part, folder, work);
  return list;
}

const testedWheels = (part: Part) => [false, true].flatMap((gpu) => part.download(gpu).sha256);

/**
 * Each folder takes the place of the former one, which stands aside for an instant, and is put back by the next
 * installation if the process was killed in it. The folder with the list comes last.
 */
async function replace({ folders }: Part, folder: string, work: string): Promise<void> {
  await makeFolder(folder);
  for (const name of folders.toReversed()) {
    const [from, to] = [join(work, name), join(folder, name)];
    if (!existsSync(from)) {
      await rm(to, { recursive: true, force: true });
      continue;
    }
    await syncTree(from);
    await replaceFolder(from, to);
  }
}

function wheelVersion(entries: readonly string[]): string | null {
  for (const entry of entries) {
    const match = /^[^/]+-([^-/]+)\.dist-info\/RECORD$/.exec(entry);
    if (match) return match[1];
  }
  return null;
}
