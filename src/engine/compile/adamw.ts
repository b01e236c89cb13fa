/**
 * AdamW and the moving average on variables, in place: no second copy of parameters and moments. TensorFlow's own Adam
 * does it, in its own order of operations (`../adamw.ts`).
 */
import type { UpdateConstants } from "../jit/adamw.js";
import {
  attribute,
  functionDefinition,
  type NodeDefinition,
  type Tensorflow,
  type TensorMetadata,
  TYPES,
} from "../tensorflow/index.js";

/** One call that updates every variable. */
export interface CompiledUpdate {
  /**
   * @param variables handles of parameters, first and second moments and averages (if there are), each for all
   *   parameters in their order
   * @param gradients one per parameter
   * @param scale scalar that multiplies every gradient
   * @param rates [3]: lr * wd, lr / (1 - b1^t), sqrt(1 - b2^t)
   * @returns the variables' new values, in their order
   */
  run(
    variables: readonly number[],
    gradients: readonly number[],
    scale: number,
    rates: number,
  ): Promise<TensorMetadata[]>;
}

let count = 0;

/** @param parameters how many there are */
export function compileAdamw({ context }: Tensorflow, parameters: number, settings: UpdateConstants): CompiledUpdate {
  const kinds = settings.emaDecay === null ? ["p", "m", "v"] : ["p", "m", "v", "e"];
  const each = Array.from({ length: parameters }, (_, i) => i);
  const names = kinds.flatMap((kind) => each.map((i) => `${kind}${i}`));
  const name = `adamw_${process.pid}_${count++}`;
  const float = TYPES.float32;
  context.addFunction(
    functionDefinition({
      name,
      arguments: [
        ...names.map((name) => ({ name, dtype: TYPES.resource })),
        ...each.map((i) => ({ name: `g${i}`, dtype: float })),
        { name: "scale", dtype: float },
        { name: "rates", dtype: float },
      ],
      results: names.map((name) => ({ name: `new_${name}`, dtype: float, from: `read_${name}:value:0` })),
      nodes: [...sharedNodes(settings), ...each.flatMap((i) => parameterNodes(i, settings))],
      effects: each.map((i) => `adam${i}`),
    }),
  );
  return {
    run: (variables, gradients, scale, rates) =>
      context.executeAsync(name, [], [...variables, ...gradients, scale, rates], names.length),
  };
}

const T = { T: attribute.type(TYPES.float32) };
const DTYPE = { dtype: attribute.type(TYPES.float32) };

function constant(name: string, value: number): NodeDefinition {
  const bytes = new Uint8Array(Float32Array.of(value).buffer);
  return { name, op: "Const", inputs: [], attributes: { ...DTYPE, value: attribute.tensor(TYPES.float32, [], bytes) } };
}

/**
 * TensorFlow's Adam takes lr sqrt(1 - b2^t) / (1 - b1^t) and adds eps outside the bias correction. With powers of 0,
 * which switch its own correction off, the rates below give PyTorch's form.
 */
function sharedNodes({ beta1, beta2, eps, emaDecay }: UpdateConstants): NodeDefinition[] {
  return [
    constant("zero", 0),
    constant("beta1", beta1),
    constant("beta2", beta2),
    constant("eps", eps),
    ...(emaDecay === null ? [] : [constant("keep", emaDecay), constant("take", 1 - emaDecay)]),
    {
      name: "rate",
      op: "Unpack",
      inputs: ["rates"],
      attributes: { ...T, num: attribute.int(3), axis: attribute.int(0) },
    },
    { name: "lr", op: "Mul", inputs: ["rate:output:1", "rate:output:2"], attributes: T },
    { name: "epsilon", op: "Mul", inputs: ["eps:output:0", "rate:output:2"], attributes: T },
  ];
}

function parameterNodes(i: number, { emaDecay }: UpdateConstants): NodeDefinition[] {
  const read = (name: string, variable: string, after: string[] = []): NodeDefinition => ({
    name,
    op: "ReadVariableOp",
    inputs: [variable, ...after],
    attributes: DTYPE,
  });
  const constants = ["zero:output:0", "zero:output:0", "lr:z:0", "beta1:output:0", "beta2:output:0", "epsilon:z:0"];
  const nodes: NodeDefinition[] = [
    { name: `grad${i}`, op: "Mul", inputs: [`g${i}`, "scale"], attributes: T },
    read(`former${i}`, `p${i}`),
    { name: `decay${i}`, op: "Mul", inputs: [`former${i}:value:0`, "rate:output:0"], attributes: T },
    { name: `decayed${i}`, op: "AssignSubVariableOp", inputs: [`p${i}`, `decay${i}:z:0`], attributes: DTYPE },
    {
      name: `adam${i}`,
      op: "ResourceApplyAdam",
      inputs: [`p${i}`, `m${i}`, `v${i}`, ...constants, `grad${i}:z:0`, `^decayed${i}`],
      attributes: { ...T, use_locking: attribute.bool(false), use_nesterov: attribute.bool(false) },
    },
    ...["p", "m", "v"].map((kind) => read(`read_${kind}${i}`, `${kind}${i}`, [`^adam${i}`])),
  ];
  if (emaDecay === null) return nodes;
  return [
    ...nodes,
    read(`average${i}`, `e${i}`),
    { name: `kept${i}`, op: "Mul", inputs: [`average${i}:value:0`, "keep:output:0"], attributes: T },
    { name: `taken${i}`, op: "Mul", inputs: [`read_p${i}:value:0`, "take:output:0"], attributes: T },
    { name: `mixed${i}`, op: "AddV2", inputs: [`kept${i}:z:0`, `taken${i}:z:0`], attributes: T },
    { name: `averaged${i}`, op: "AssignVariableOp", inputs: [`e${i}`, `mixed${i}:z:0`], attributes: DTYPE },
    read(`read_e${i}`, `e${i}`, [`^averaged${i}`]),
  ];
}
