/**
 * A function run once more in a session, which tells how long each of its operations took. The eager runtime tells
 * nothing of what is inside a function.
 */
import type { EagerContext } from "./context.js";
import { type Argument, graphOfFunction, NODES, runOptions } from "./graph.js";
import { Addresses, takeBuffer } from "./native.js";
import { type OperationTime, operationTimes } from "./stepStats.js";

/** A run that was timed. */
export interface TimedRun {
  /** the operations, by their start */
  operations: OperationTime[];
  /** microseconds since 1970 */
  start: number;
  /** microseconds */
  duration: number;
}

/** Runs before the one that is timed: the first one builds what the session keeps. */
const WARMUP = 2;

/**
 * Times the operations of a function on copies of its inputs: variables keep their values.
 *
 * @param context that knows the function
 * @param ids tensors it takes; a resource stands for a float32 variable
 * @param options.threads as the context has them
 * @throws TensorflowError if it cannot be run
 */
export async function timeFunction(
  context: EagerContext,
  name: string,
  ids: readonly number[],
  { threads }: { threads: number },
): Promise<TimedRun> {
  const { native } = context;
  const held = ids.map((id) => context.share(id));
  const session = new Session(native, name, held, context.functionDefinition(name), threads);
  try {
    await session.start();
    for (let i = 0; i < WARMUP; i++) await session.run();
    return await session.runTimed();
  } finally {
    session.close();
    for (const { tensor } of held) native.api.TF_DeleteTensor(tensor);
  }
}

/** A graph with one call of a function in it, and the session that runs it. */
class Session {
  private readonly graph: number;
  private readonly session: number;
  private readonly results: number;

  constructor(
    private readonly native: EagerContext["native"],
    name: string,
    private readonly inputs: readonly Argument[],
    definition: Uint8Array,
    threads: number,
  ) {
    const { api, status } = native;
    this.graph = api.TF_NewGraph();
    const { graph, config, results } = graphOfFunction(name, definition, inputs, threads);
    this.results = results;
    const source = api.TF_NewBufferFromString(graph, graph.length);
    const imports = api.TF_NewImportGraphDefOptions();
    const options = api.TF_NewSessionOptions();
    try {
      api.TF_GraphImportGraphDef(this.graph, source, imports, status);
      native.check("TF_GraphImportGraphDef", () => name);
      api.TF_SetConfig(options, config, config.length, status);
      native.check("TF_SetConfig");
      this.session = api.TF_NewSession(this.graph, options, status);
      native.check("TF_NewSession");
    } catch (error) {
      api.TF_DeleteGraph(this.graph);
      throw error;
    } finally {
      api.TF_DeleteBuffer(source);
      api.TF_DeleteImportGraphDefOptions(imports);
      api.TF_DeleteSessionOptions(options);
    }
  }

  /** Gives the variables their values. */
  start(): Promise<void> {
    return this.call(0, NODES.start);
  }

  run(): Promise<void> {
    return this.call(this.results);
  }

  async runTimed(): Promise<TimedRun> {
    const { api } = this.native;
    const wanted = runOptions();
    const options = api.TF_NewBufferFromString(wanted, wanted.length);
    const metadata = api.TF_NewBuffer();
    const began = performance.now();
    try {
      await this.call(this.results, null, options, metadata);
    } catch (error) {
      api.TF_DeleteBuffer(metadata);
      throw error;
    } finally {
      api.TF_DeleteBuffer(options);
    }
    const duration = (performance.now() - began) * 1000;
    // the call itself, where TensorFlow has not put the function in its place
    const operations = operationTimes(takeBuffer(this.native, metadata)).filter(({ node }) => node !== NODES.call);
    return { operations, start: (performance.timeOrigin + began) * 1000, duration };
  }

  /** @param fetched how many results: what nothing fetches is not computed */
  private async call(fetched: number, target: string | null = null, options = 0, metadata = 0): Promise<void> {
    const { api, check } = this.native;
    const status = api.TF_NewStatus();
    // a TF_Output is an operation and the number of its output
    const inputs = { from: new Addresses(2 * this.inputs.length), tensors: new Addresses(this.inputs.length) };
    const outputs = { from: new Addresses(2 * fetched), tensors: new Addresses(fetched) };
    const targets = new Addresses(1);
    for (const [i, { tensor }] of this.inputs.entries()) {
      inputs.from.set(2 * i, this.operation(NODES.input(i)));
      inputs.tensors.set(i, tensor);
    }
    for (let i = 0; i < fetched; i++) {
      outputs.from.set(2 * i, this.operation(NODES.call));
      outputs.from.set(2 * i + 1, i);
    }
    if (target !== null) targets.set(0, this.operation(target));
    const given = [inputs.from.buffer, inputs.tensors.buffer, this.inputs.length] as const;
    const taken = [outputs.from.buffer, outputs.tensors.buffer, fetched] as const;
    try {
      await new Promise<void>((resolve, reject) => {
        const done = (error: Error | null) => (error ? reject(error) : resolve());
        const last = [targets.buffer, target === null ? 0 : 1, metadata, status] as const;
        api.TF_SessionRun.async(this.session, options, ...given, ...taken, ...last, done);
      });
      check("TF_SessionRun", () => target ?? NODES.call, status);
      for (let i = 0; i < fetched; i++) api.TF_DeleteTensor(outputs.tensors.get(i));
    } finally {
      api.TF_DeleteStatus(status);
    }
  }

  private operation(name: string): number {
    return this.native.api.TF_GraphOperationByName(this.graph, this.native.cstring(name));
  }

  close(): void {
    const { api, status } = this.native;
    api.TF_DeleteSession(this.session, status);
    api.TF_DeleteGraph(this.graph);
  }
}
