/** What the processes of one training run say to each other; alone, a process says nothing. */
import type { TreeSum } from "./treeSum.js";
import type { Place } from "./watchdogMessages.js";

export interface Communicator {
  /** number of this process, from 0 */
  rank: number;
  /** number of processes */
  size: number;
  /**
   * The sum over the batches of all processes along the tree of `batchTree.ts`: the same bits whoever had which.
   * @param own sums of this process's nodes (`ownNodes`), as long in every process, on ArrayBuffers of their own; the first
   *   takes the sum, or this process's part of it, the rest changes
   */
  sum(own: readonly Float32Array[], how: TreeSum): Promise<void>;
  /** The library's own sum over the processes, in place: faster where networks add, with bits that depend on their number. */
  sumFast(values: Float32Array): Promise<void>;
  /** Every process's part of `values`, which ends at `ends[rank]`, in place: to all processes, or to process 0. */
  gatherParts(values: Float32Array, ends: readonly number[], to: "all" | "first"): Promise<void>;
  /** `value` of process 0, as JSON, in every process */
  broadcast<T>(value: T): Promise<T>;
  /** bytes of process 0, in place; as many in every process */
  broadcastBytes(bytes: Uint8Array): Promise<void>;
  /** every process's value, as JSON, in the order of the ranks */
  gather<T>(value: T): Promise<T[]>;
  /** every process's bytes, as many as it likes, in the order of the ranks */
  collect(bytes: Uint8Array): Promise<Uint8Array[]>;
  /** says how many steps are done and what comes next, for the message where this process is lost */
  at(step: number, place: Place): void;
  /** ends every process of the run at once with this exit code */
  abort(code: number): void;
  /** the last call; every process makes it */
  close(): Promise<void>;
}

/** A process that trains alone. */
export const ALONE: Communicator = {
  rank: 0,
  size: 1,
  sum: async () => {},
  sumFast: async () => {},
  gatherParts: async () => {},
  broadcast: async (value) => value,
  broadcastBytes: async () => {},
  gather: async (value) => [value],
  collect: async (bytes) => [bytes],
  at: () => {},
  abort: (code) => process.exit(code),
  close: async () => {},
};

/** Errors that every process of a run has thrown, at the same place. */
const shared = new WeakSet<object>();

/** Says that all processes throw `error` at this place. */
export const markShared = (error: object): void => {
  shared.add(error);
};

/** True for an error that the other processes have thrown too: each can tidy up before it ends. */
export const isShared = (error: unknown): boolean => typeof error === "object" && error !== null && shared.has(error);
