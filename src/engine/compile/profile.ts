/** Times of the operations inside compiled functions, as a trace like that of single kernels. */
import type { NameEvent, Trace, TraceEvent } from "../profile.js";
import { type OperationTime, type Tensorflow, type TimedRun, timeFunction } from "../tensorflow/index.js";

const PID = 1;
/** The lane of the functions; those of the operations follow. */
const FUNCTIONS = 1;

/**
 * Runs `work`; every compiled function that it calls is run in a session beforehand, with the same inputs, and its
 * operations are timed there. The functions lie behind each other in the trace, at the times of those runs.
 *
 * @param label name of the whole in the trace
 */
export async function profileCompiled<T>(
  engine: Tensorflow,
  label: string,
  work: () => Promise<T>,
): Promise<{ result: T; trace: Trace }> {
  const { context } = engine;
  const runs: (TimedRun & { name: string })[] = [];
  const execute = context.executeAsync;
  context.executeAsync = async (name, attributes, ids, outputs) => {
    runs.push({ name: plainName(name), ...(await timeFunction(context, name, ids, engine)) });
    return execute.call(context, name, attributes, ids, outputs);
  };
  try {
    const result = await work();
    return { result, trace: traceOf(label, runs) };
  } finally {
    context.executeAsync = execute;
  }
}

/** Without process and count. */
const plainName = (name: string) => name.replace(/_\d+_\d+$/, "");

function traceOf(label: string, runs: readonly (TimedRun & { name: string })[]): Trace {
  const events: TraceEvent[] = [];
  let lanes = 0;
  let end = 0;
  for (const { name, start, duration, operations } of runs) {
    const at = (time: number) => end + time - start;
    events.push(span(name, "function", end, duration));
    const placed = inLanes(operations);
    lanes = Math.max(lanes, ...placed.map(({ lane }) => lane + 1));
    for (const { operation, lane } of placed) {
      const { op, node, start: began, duration: dur, outputs } = operation;
      const args = { inputs: [], outputs, node };
      events.push({
        name: op,
        cat: "tensorflow",
        ph: "X",
        ts: at(began),
        dur,
        pid: PID,
        tid: FUNCTIONS + 1 + lane,
        args,
      });
    }
    end += duration;
  }
  events.push(span(label, "step", 0, end));
  events.sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const threads = Array.from({ length: lanes }, (_, lane) =>
    named("thread_name", FUNCTIONS + 1 + lane, `lane ${lane + 1}`),
  );
  const names = [named("process_name", FUNCTIONS, "atmorep, tensorflow"), named("thread_name", FUNCTIONS, "functions")];
  return { traceEvents: [...names, ...threads, ...events], displayTimeUnit: "ms" };
}

const span = (name: string, cat: string, ts: number, dur: number): TraceEvent => ({
  ...{ name, cat, ph: "X", ts, dur, pid: PID, tid: FUNCTIONS },
  args: { inputs: [], outputs: [] },
});

const named = (name: NameEvent["name"], tid: number, text: string): NameEvent => ({
  ...{ name, ph: "M", pid: PID, tid },
  args: { name: text },
});

/** TensorFlow does not tell the threads: operations at the same time lie in different lanes. */
function inLanes(operations: readonly OperationTime[]): { operation: OperationTime; lane: number }[] {
  const ends: number[] = [];
  return operations.map((operation) => {
    const free = ends.findIndex((end) => end <= operation.start);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = operation.start + operation.duration;
    return { operation, lane };
  });
}
