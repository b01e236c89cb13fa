/**
 * What a reader of files from elsewhere may spend before it has seen that they are worth it. Every reader takes its bounds
 * from here, opens files through here and has JSON parsed here, so that no file is too large, too deep, too many-voiced or no
 * file at all without one message. Bounds are far above what programs write, and far below what a machine notices.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { AtmorepError, isAtmorepError } from "./errors.js";

export const BUDGET = {
  /** bytes of a JSON file that the program or a person wrote: a run's configuration, an end mark, a mapping, scores */
  jsonBytes: 64 * 2 ** 20,
  /** lists and objects of JSON in each other; deeper ones overflow the stack of whoever walks them */
  jsonDepth: 64,
  /** values of a JSON document: a million arrays of Zarr metadata have so many */
  jsonValues: 4_000_000,
  /** bytes of a safetensors header: a hundred thousand tensors; the format allows 100 MB */
  safetensorsHeader: 16 * 2 ** 20,
  /** bytes of a state dict's pickle, about 100 a tensor */
  pickleBytes: 64 * 2 ** 20,
  /** values that a pickle makes, each of which costs some hundred bytes of memory */
  pickleValues: 2_000_000,
  /** dicts of a pickle, which cost more: PyTorch writes one a tensor */
  pickleDicts: 200_000,
  /** bytes of one text in a pickle: the name of a tensor */
  pickleText: 65_536,
  /** bytes that tensors of a small file may unfold to (stride 0), all together */
  unfolded: 64 * 2 ** 20,
  /** files in a zip archive */
  zipEntries: 1_000_000,
  /** bytes of a zip archive's directory */
  zipDirectory: 256 * 2 ** 20,
  /** bytes of a run's log of metrics or of its lines: twenty million steps */
  logBytes: 4 * 2 ** 30,
} as const;

/** Opening a pipe must not wait for whoever writes to it. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A pipe, a device or a socket: reading it may never end. */
export function notAFile(where: string): AtmorepError {
  return new AtmorepError("input", "not a file or folder", {
    where,
    expected: "a regular file; pipes and devices are not read",
    fix: "Write what it gives to a file first",
  });
}

/** @throws AtmorepError (input) for a pipe, a device or a socket */
export function assertFile(info: Stats, path: string): void {
  if (!info.isFile() && !info.isDirectory()) throw notAFile(path);
}

/**
 * Opens a regular file for reading.
 * @throws AtmorepError (input) for a pipe, a device or a socket; NodeJS.ErrnoException if it cannot be opened
 */
export async function openRegular(path: string): Promise<FileHandle> {
  const handle = await open(path, FLAGS).catch((error) => {
    throw toldAsFile(error, path);
  });
  try {
    assertFile(await handle.stat(), path);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A socket cannot even be opened. */
const toldAsFile = (error: unknown, path: string) =>
  (error as NodeJS.ErrnoException).code === "ENXIO" ? notAFile(path) : error;

/** A whole regular file. @throws as `openRegular`, and AtmorepError (input) beyond `most` bytes */
export async function readBounded(path: string, most: number = BUDGET.jsonBytes): Promise<Buffer> {
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    if (size > most) throw tooLargeFile(path, size, most);
    // Files of /proc say 0, and a file may grow.
    const pieces: Buffer[] = [];
    for (let length = 0; ; ) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.max(4096, size - length + 1)));
      if (bytesRead === 0) return Buffer.concat(pieces);
      pieces.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
      if (length > most) throw tooLargeFile(path, length, most);
    }
  } finally {
    await handle.close();
  }
}

/** The same, waiting. */
export function readBoundedSync(path: string, most: number = BUDGET.jsonBytes): Buffer {
  let file: number;
  try {
    file = openSync(path, FLAGS);
  } catch (error) {
    throw toldAsFile(error, path);
  }
  try {
    const info = fstatSync(file);
    assertFile(info, path);
    if (info.size > most) throw tooLargeFile(path, info.size, most);
    const pieces: Buffer[] = [];
    for (let length = 0; ; ) {
      const piece = Buffer.allocUnsafe(Math.max(4096, info.size - length + 1));
      const read = readSync(file, piece);
      if (read === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, read));
      length += read;
      if (length > most) throw tooLargeFile(path, length, most);
    }
  } finally {
    closeSync(file);
  }
}

export const tooLargeFile = (where: string, found: number, most: number) =>
  new AtmorepError("input", "larger than what it should hold", {
    where,
    found: `${found} bytes`,
    expected: `at most ${most} bytes`,
    fix: "It is damaged or not what its name says",
  });

/**
 * Parses JSON of others within the budget.
 * @param where the file, for messages
 * @throws AtmorepError (input) if it is none, a key stands twice in an object, or it nests or holds more than any such file
 */
export function parseBounded(text: string, where: string): unknown {
  const fault = jsonFault(text);
  if (fault === null) {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new AtmorepError("input", "not JSON", { where, found: (cause as Error).message, fix: DAMAGED, cause });
    }
  }
  throw new AtmorepError("input", fault, { where, fix: DAMAGED });
}

const DAMAGED = "The file is damaged";

/** A JSON file, whole. @throws as `readBounded` and `parseBounded` */
export async function readJsonBounded(path: string, most: number = BUDGET.jsonBytes): Promise<unknown> {
  return parseBounded((await readBounded(path, most)).toString("utf8"), path);
}

/** `read`'s value, or `instead` if the file is damaged, absent or none; other errors of the program pass. */
export function orElse<T>(instead: T): (error: unknown) => T {
  return (error) => {
    const { code } = error as NodeJS.ErrnoException;
    if (isAtmorepError(error) || typeof code === "string") return instead;
    throw error;
  };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * What no parser of JSON says of a text: a key twice in an object (the last would count, in silence), too deep, too many
 * values. Null if there is nothing of the kind; texts that are no JSON are left to the parser.
 */
export function jsonFault(text: string): string | null {
  /** keys of the objects that are open; null for a list */
  const open: (Set<string> | null)[] = [];
  let values = 0;
  let last: string | null = null;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        if (end < 0) return null;
        last = text.slice(at, end + 1);
        at = end;
        break;
      }
      case COLON: {
        const keys = open.at(-1);
        if (!keys || last === null) return null;
        const key = last.includes("\\") ? unescaped(last) : last;
        if (keys.has(key)) return `the key ${last.slice(0, 80)} stands twice`;
        keys.add(key);
        last = null;
        break;
      }
      case COMMA:
        if (++values > BUDGET.jsonValues) return `more than ${BUDGET.jsonValues} values`;
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (++values > BUDGET.jsonValues) return `more than ${BUDGET.jsonValues} values`;
        open.push(text.charCodeAt(at) === OPEN_OBJECT ? new Set() : null);
        if (open.length > BUDGET.jsonDepth) return `nested deeper than ${BUDGET.jsonDepth}`;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        open.pop();
        break;
    }
  }
  return null;
}

/** Where the string that begins at `at` ends; -1 if it does not. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}

/** The key in one form, however its letters are written; as it stands if it is no JSON. */
function unescaped(key: string): string {
  try {
    return JSON.stringify(JSON.parse(key));
  } catch {
    return key;
  }
}
