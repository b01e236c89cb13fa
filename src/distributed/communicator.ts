/** What the processes of one training run say to each other; alone, a process says nothing. */

export interface Communicator {
  /** number of this process, from 0 */
  rank: number;
  /** number of processes */
  size: number;
  /**
   * The sum over the processes, in place. It is taken in the order of the ranks, so that it has the same bits in every
   * process and every time, whatever algorithm the library would choose.
   * @param values as long in every process
   */
  sum(values: Float32Array | Float64Array): Promise<void>;
  /** `value` of process 0, as JSON, in every process */
  broadcast<T>(value: T): Promise<T>;
  /** every process's value, as JSON, in the order of the ranks */
  gather<T>(value: T): Promise<T[]>;
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
  broadcast: async (value) => value,
  gather: async (value) => [value],
  abort: (code) => process.exit(code),
  close: async () => {},
};
