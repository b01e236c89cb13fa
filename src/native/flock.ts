/** `flock` of the C library: a lock that the operating system holds for a process and lets go when it ends, however it ends. */
import { lastErrno, loadLibrary, type NativeFunction } from "./load.js";

const LOCK_EX = 2;
const LOCK_NB = 4;
/** another holds it: EWOULDBLOCK of Linux and of macOS */
const BUSY = [11, 35];

let flock: NativeFunction<[number, number], number> | null | undefined;

/**
 * Takes the lock of an open file, or says that another descriptor has it. It goes with the descriptor.
 * @param descriptor of a file that is open for writing (NFS asks for that)
 * @returns `none` where this system or this file system has no such lock
 */
export function tryFlock(descriptor: number): "taken" | "busy" | "none" {
  if (flock === undefined) {
    try {
      flock = loadLibrary(null).optional("int flock(int descriptor, int operation)");
    } catch {
      flock = null;
    }
  }
  if (flock === null) return "none";
  if (flock(descriptor, LOCK_EX | LOCK_NB) === 0) return "taken";
  return BUSY.includes(lastErrno()) ? "busy" : "none";
}
