/** A sum over processes with the same bits everywhere: each adds up one part, in the order of the ranks. */

/** The two exchanges that it needs; buffers hold `size` parts of equal length. */
export interface Exchange<T extends Float32Array | Float64Array> {
  size: number;
  /** part k of `send` goes to process k; part k of `receive` came from process k */
  allToAll(send: T, receive: T): Promise<void>;
  /** `part` of process k becomes part k of `receive` */
  allGather(part: T, receive: T): Promise<void>;
}

/**
 * Sums `values` over the processes in place: twice the data through the wire, as a ring would send, and every
 * process ends with the same bytes because each part was added up once.
 * @param values [n], n equal in every process
 */
export async function orderedSum<T extends Float32Array | Float64Array>(
  values: T,
  { size, allToAll, allGather }: Exchange<T>,
): Promise<void> {
  const make = (length: number) => new (values.constructor as new (length: number) => T)(length);
  const length = Math.ceil(values.length / size);
  const padded = make(length * size);
  padded.set(values);
  const received = make(length * size);
  await allToAll(padded, received);
  const part = make(length);
  for (let k = 0; k < size; k++) {
    for (let i = 0, at = k * length; i < length; i++, at++) part[i] = k === 0 ? received[at] : part[i] + received[at];
  }
  await allGather(part, padded);
  values.set(padded.subarray(0, values.length));
}
