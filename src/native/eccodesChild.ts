/**
 * The process in which ecCodes runs: unpacks messages that its parent sends, one at a time, until the parent ends or
 * hangs up. Its argument is the library's path.
 */
import { bindEccodes, type NativeEccodes, type UnpackedMessage } from "./eccodes.js";
import { loadLibrary } from "./load.js";

/** From parent to child. */
export interface UnpackRequest {
  message: Uint8Array;
  points: number;
}

/** From child to parent: once the version, then the results, in order. */
export type UnpackReply = { version: string } | UnpackedMessage | { error: string };

/** Memory that ecCodes and Node may take, bytes: images within damaged messages ask for any size. */
const MOST_MEMORY = 768 * 2 ** 20;
const RLIMIT_DATA = 2;
const RLIMIT_CORE = 4;

function limitMemory(): void {
  if (process.platform !== "linux") return;
  const setLimit = loadLibrary(null).function<[number, BigUint64Array], number>(
    "int setrlimit(int resource, const void *limit)",
  );
  setLimit(RLIMIT_DATA, BigUint64Array.of(BigInt(MOST_MEMORY), BigInt(MOST_MEMORY)));
  setLimit(RLIMIT_CORE, BigUint64Array.of(0n, 0n));
}

const reply = (message: UnpackReply) => process.send?.(message);

let native: NativeEccodes | null = null;
try {
  native = bindEccodes(process.argv[2]);
  limitMemory();
  reply({ version: native.version });
} catch (error) {
  reply({ error: (error as Error).message });
}

process.on("message", ({ message, points }: UnpackRequest) => {
  try {
    if (!native) throw new Error("ecCodes is not loaded");
    reply(native.unpack(message, points));
  } catch (error) {
    reply({ error: (error as Error).message });
  }
});
// Otherwise a Ctrl-C of the terminal would look like a crash to the parent, which ends by itself.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());
