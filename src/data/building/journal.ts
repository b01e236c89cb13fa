/**
 * The journal of a part: a line of JSON for each unit that is done, written when its files are on disk, with a checksum over
 * the line. One that broke off or changed counts for nothing: its unit is done again.
 */
import { appendFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { readBounded } from "../../budgets.js";

export interface Entry {
  unit: number;
  /** name below the store, and bytes */
  files: [key: string, bytes: number][];
  result: unknown;
}

export class Journal {
  private constructor(private readonly path: string) {}

  static async open(path: string): Promise<Journal> {
    const text = await readLines(path);
    // What follows a broken line must not become a part of it.
    if (text !== "" && !text.endsWith("\n")) await appendFile(path, "\n");
    return new Journal(path);
  }

  async add(entry: Entry): Promise<void> {
    const text = JSON.stringify(entry);
    await appendFile(this.path, `${sumOf(text)} ${text}\n`);
  }
}

/** What a journal says; units of which no line is whole are absent. */
export async function readJournal(path: string): Promise<Entry[]> {
  const text = await readLines(path);
  const entries: Entry[] = [];
  for (const line of text.split("\n")) {
    const entry = line.slice(SUM_LENGTH + 1);
    if (entry !== "" && line.startsWith(`${sumOf(entry)} `)) entries.push(JSON.parse(entry));
  }
  return entries;
}

const SUM_LENGTH = 8;
const sumOf = (text: string): string => crc32(text).toString(16).padStart(SUM_LENGTH, "0");

/** Of no journal, nothing. @throws AtmorepError (input) for what is no file, or too large for one */
async function readLines(path: string): Promise<string> {
  const bytes = await readBounded(path, 2 ** 28).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  });
  return bytes.toString("utf8");
}

const AT_ONCE = 64;

/** The entries whose files are there with all their bytes. */
export async function whole(entries: readonly Entry[], store: string): Promise<Entry[]> {
  const kept: Entry[] = [];
  for (let from = 0; from < entries.length; from += AT_ONCE) {
    const some = entries.slice(from, from + AT_ONCE);
    const there = await Promise.all(
      some.map(async ({ files }) => {
        for (const [key, bytes] of files) {
          const info = await stat(join(store, key)).catch(() => null);
          if (info?.size !== bytes) return false;
        }
        return true;
      }),
    );
    kept.push(...some.filter((_, i) => there[i]));
  }
  return kept;
}
