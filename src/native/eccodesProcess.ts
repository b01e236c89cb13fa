/** ecCodes in a process of its own, so that a message that crashes it ends that process and not this one. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AtmorepError } from "../errors.js";
import { ECCODES, findEccodes, type UnpackedMessage } from "./eccodes.js";
import type { UnpackReply, UnpackRequest } from "./eccodesChild.js";
import type { FindOptions, FoundLibrary } from "./find.js";

/** A message may take this long, milliseconds; ecCodes unpacks the largest in a second or two. */
const LONGEST_MS = 10_000;
/** A process that has had nothing to do for so long is ended. */
const IDLE_MS = 10_000;
/** What is kept of the last words of the library. */
const LAST_WORDS = 2000;

/** ecCodes, ready. */
export interface EccodesProcess {
  library: FoundLibrary;
  version: string;
  /**
   * Unpacks a framed message. Calls wait for one another; after a crash the next one starts a new process.
   * @param points number of values that it must have
   * @param where file and message, for errors
   * @throws AtmorepError (input) if ecCodes refuses the message, crashes on it, or does not end
   */
  unpack(message: Uint8Array, points: number, where: string): Promise<UnpackedMessage>;
}

interface Child {
  process: ChildProcess;
  version: string;
  /** what the library wrote to its standard error since this was last emptied */
  said: string;
}

/**
 * Starts ecCodes; null where there is none that works.
 * @throws AtmorepError (usage) if `ATMOREP_ECCODES` names one that does not work
 */
export async function startEccodes(options: FindOptions = {}): Promise<EccodesProcess | null> {
  const { found, tried, asked } = findEccodes(options);
  const failures: string[] = [];
  for (const library of found) {
    try {
      return hold(library, await start(library.path));
    } catch (error) {
      failures.push(`${library.path}: ${(error as Error).message}`);
    }
  }
  if (asked === null || asked === "none") return null;
  throw new AtmorepError("usage", "ecCodes cannot be used", {
    where: ECCODES.variable,
    found: failures.join("; ") || `no such library at ${tried.join(", ")}`,
    expected: "libeccodes, as a file or its folder, or none",
    fix: "Fetch it with: atmorep engine install --only eccodes; or unset the variable",
  });
}

function hold(library: FoundLibrary, first: Child): EccodesProcess {
  let child: Child | null = first;
  let last: Promise<unknown> = Promise.resolve();
  const rest = () => {
    if (child?.process.connected) child.process.disconnect();
    child = null;
  };
  let resting = setTimeout(rest, IDLE_MS).unref();
  const unpack = async (message: Uint8Array, points: number, where: string): Promise<UnpackedMessage> => {
    clearTimeout(resting);
    if (!child?.process.connected) child = await start(library.path);
    const current = child;
    current.said = "";
    const reply = await ask(current, { message, points }).catch((error: Error) => {
      child = null;
      throw refusal(where, `ecCodes ${error.message}`, current, "the message is damaged, or ecCodes has a fault");
    });
    resting = setTimeout(rest, IDLE_MS).unref();
    if ("values" in reply) return reply;
    throw refusal(where, "ecCodes cannot unpack the message", current, "error" in reply ? reply.error : "no values");
  };
  return {
    library,
    version: first.version,
    unpack(message, points, where) {
      const result = last.then(() => unpack(message, points, where));
      last = result.catch(() => {});
      return result;
    },
  };
}

function refusal(where: string, what: string, { said }: Child, why: string): AtmorepError {
  const words = said.trim().split("\n")[0].replace(/\s+/g, " ");
  return new AtmorepError("input", what, {
    where,
    found: words ? `${why} (${words})` : why,
    fix: "Download the file again, or leave the message out, for instance with grib_copy -w",
  });
}

async function start(path: string): Promise<Child> {
  const own = fork(entry(), [path], {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const child: Child = { process: own, version: "", said: "" };
  own.stderr?.setEncoding("utf8").on("data", (text: string) => {
    child.said = (child.said + text).slice(0, LAST_WORDS);
  });
  // The program ends without waiting for it; it ends with the program.
  own.unref();
  (own.stderr as unknown as { unref(): void }).unref();
  const reply = await ask(child, null);
  if ("version" in reply) {
    child.version = reply.version;
    return child;
  }
  own.disconnect();
  throw new Error("error" in reply ? reply.error : "it does not answer");
}

/** The child's next reply, after a request or, with null, after its start. @throws Error if it ends or takes too long */
async function ask(child: Child, request: UnpackRequest | null): Promise<UnpackReply> {
  const { process: own } = child;
  const stop = new AbortController();
  const { signal } = stop;
  own.channel?.ref();
  const timer = setTimeout(() => own.kill("SIGKILL"), LONGEST_MS);
  const began = performance.now();
  try {
    const ended = Promise.race([once(own, "exit", { signal }), once(own, "disconnect", { signal })]);
    const reply = once(own, "message", { signal });
    // Whichever comes second, or is stopped, is nobody's.
    for (const promise of [ended, reply]) promise.catch(() => {});
    if (request) own.send(request, () => {});
    const first = await Promise.race([reply, ended.then(() => null)]);
    // What the library wrote arrives by another way than the reply.
    await new Promise((resolve) => setImmediate(resolve));
    if (first) return first[0] as UnpackReply;
    if (own.exitCode === null && own.signalCode === null) await once(own, "exit");
    const late = performance.now() - began >= LONGEST_MS;
    throw new Error(
      late ? `took more than ${LONGEST_MS / 1000} s` : `crashed (${own.signalCode ?? `exit status ${own.exitCode}`})`,
    );
  } finally {
    clearTimeout(timer);
    stop.abort();
    own.channel?.unref();
  }
}

/** The child's program; beside the sources it is the one that was built. */
function entry(): string {
  const beside = fileURLToPath(new URL("./eccodesChild.js", import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL("../../dist/native/eccodesChild.js", import.meta.url));
}
