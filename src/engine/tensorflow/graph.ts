/** A graph whose one purpose is to call a function (tensorflow/core/framework/graph.proto). */
import { attribute, configProto, type NodeDefinition, nodeDefinition } from "./definitions.js";
import { Message } from "./unwire.js";
import { TYPES } from "./values.js";
import { type Bytes, join, part, whole } from "./wire.js";

/** An input of the function. */
export interface Argument {
  /** TF_Tensor with its value */
  tensor: number;
  dtype: number;
  shape: readonly number[];
  /** the function takes a variable with this value */
  variable: boolean;
}

/** Names of the graph's nodes. */
export const NODES = { input: (i: number) => `input${i}`, start: "start", call: "function" } as const;

/** Version of the messages; attributes that came later have their defaults. */
export const PRODUCER = 1000;
const FULL_TRACE = 3;

/** A GraphDef that feeds `inputs` to the function, a ConfigProto for its session, and how many results there are. */
export function graphOfFunction(
  name: string,
  definition: Bytes,
  inputs: readonly Argument[],
  threads: number,
): { graph: Bytes; config: Bytes; results: number } {
  const results = new Message(definition).messages(1).flatMap((signature) => signature.messages(3));
  const call: NodeDefinition = {
    name: NODES.call,
    op: "StatefulPartitionedCall",
    inputs: inputs.map(({ variable }, i) => (variable ? `variable${i}` : NODES.input(i))),
    attributes: {
      Tin: attribute.types(inputs.map(({ variable, dtype }) => (variable ? TYPES.resource : dtype))),
      Tout: attribute.types(results.map((result) => result.whole(3))),
      f: attribute.function(name),
    },
  };
  const variables = inputs.flatMap(({ variable }, i) => (variable ? [i] : []));
  const nodes = [
    ...inputs.flatMap(inputNodes),
    call,
    after(
      NODES.start,
      variables.map((i) => `assign${i}`),
    ),
  ];
  return {
    graph: join([
      ...nodes.map((node) => part(1, nodeDefinition(node))),
      part(2, part(1, definition)),
      part(4, whole(1, PRODUCER)),
    ]),
    config: configProto({ threads }),
    results: results.length,
  };
}

function inputNodes({ variable, dtype, shape }: Argument, i: number): NodeDefinition[] {
  const type = { dtype: attribute.type(dtype) };
  const input = {
    name: NODES.input(i),
    op: "Placeholder",
    inputs: [],
    attributes: { ...type, shape: attribute.shape(shape) },
  };
  if (!variable) return [input];
  const named = {
    shape: attribute.shape(shape),
    shared_name: attribute.string(`variable${i}`),
    container: attribute.string(""),
  };
  return [
    input,
    { name: `variable${i}`, op: "VarHandleOp", inputs: [], attributes: { ...type, ...named } },
    { name: `assign${i}`, op: "AssignVariableOp", inputs: [`variable${i}`, input.name], attributes: type },
  ];
}

const after = (name: string, nodes: readonly string[]): NodeDefinition => ({
  name,
  op: "NoOp",
  inputs: nodes.map((node) => `^${node}`),
  attributes: {},
});

/** RunOptions that ask for the time of every operation. */
export const runOptions = (): Bytes => whole(1, FULL_TRACE);
