/** Times of single kernels, as a trace that Perfetto and Chrome open (Trace Event Format, complete events). */
import * as tf from "@tensorflow/tfjs-core";

/** One call of a kernel, or an operation of a compiled function; kernels that call others contain them. */
export interface TraceEvent {
  name: string;
  cat: string;
  ph: "X";
  /** microseconds */
  ts: number;
  /** microseconds */
  dur: number;
  pid: number;
  tid: number;
  /** types and shapes, such as `float32[2,3]`; `node` names an operation in its graph */
  args: { inputs: string[]; outputs: string[]; node?: string };
}

/** The name of a process or a thread (a lane). */
export interface NameEvent {
  name: "process_name" | "thread_name";
  ph: "M";
  pid: number;
  tid: number;
  args: { name: string };
}

/** A trace file. */
export interface Trace {
  traceEvents: (TraceEvent | NameEvent)[];
  displayTimeUnit: "ms";
}

/**
 * Runs `work` with every kernel of the current engine timed. What an engine compiles into one call has no kernels of
 * its own to time: there `profileCompiled` takes the place of this.
 *
 * @param label name of the whole in the trace
 */
export async function profile<T>(label: string, work: () => Promise<T>): Promise<{ result: T; trace: Trace }> {
  const backend = tf.getBackend();
  const kernels = tf.getKernelsForBackend(backend);
  const began = performance.now();
  const events: TraceEvent[] = [];
  const note = (name: string, start: number, args: TraceEvent["args"]) => {
    const [ts, dur] = [(start - began) * 1000, (performance.now() - start) * 1000];
    events.push({ name, cat: backend, ph: "X", ts, dur, pid: 1, tid: 1, args });
  };
  for (const kernel of kernels) {
    replace({
      ...kernel,
      kernelFunc: (given) => {
        const start = performance.now();
        const outputs = kernel.kernelFunc(given);
        note(kernel.kernelName, start, {
          inputs: Object.values(given.inputs).flat().filter(isTensor).map(describe),
          outputs: [outputs].flat().map(describe),
        });
        return outputs;
      },
    });
  }
  try {
    const result = await work();
    note(label, began, { inputs: [], outputs: [] });
    events.sort((a, b) => a.ts - b.ts || b.dur - a.dur);
    const named = { name: "process_name", ph: "M", pid: 1, tid: 1, args: { name: `atmorep, ${backend}` } } as const;
    return { result, trace: { traceEvents: [named, ...events], displayTimeUnit: "ms" } };
  } finally {
    for (const kernel of kernels) replace(kernel);
  }
}

function replace(kernel: tf.KernelConfig): void {
  tf.unregisterKernel(kernel.kernelName, kernel.backendName);
  tf.registerKernel(kernel);
}

const isTensor = (value: unknown): value is tf.TensorInfo => typeof value === "object" && value !== null;
const describe = ({ dtype, shape }: tf.TensorInfo) => `${dtype}[${shape}]`;

/** All operations of one type. */
export interface TypeTime {
  op: string;
  count: number;
  /** microseconds, over all threads */
  total: number;
}

/** Times by type of operation, the longest first; of a trace of compiled functions. */
export function timesByType({ traceEvents }: Trace): TypeTime[] {
  const types = new Map<string, TypeTime>();
  for (const event of traceEvents) {
    if (event.ph !== "X" || event.cat !== "tensorflow") continue;
    const found = types.get(event.name) ?? { op: event.name, count: 0, total: 0 };
    types.set(event.name, { op: event.name, count: found.count + 1, total: found.total + event.dur });
  }
  return [...types.values()].sort((a, b) => b.total - a.total);
}
