/** From TensorFlow's calling convention to ours: inputs fetched, outputs allocated, then the kernel. */
import { type Body, I32, I64, i32, i64, Module, NULL, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { each } from "./rows.js";

/** Functions of TensorFlow's C API that compiled code calls. */
export const CALLED = [
  "TF_NewStatus",
  "TF_DeleteStatus",
  "TF_GetCode",
  "TF_SetStatus",
  "TF_GetInput",
  "TF_AllocateOutput",
  "TF_AllocateTemp",
  "TF_TensorData",
  "TF_DeleteTensor",
  "TF_OpKernelContext_Failure",
  "TF_ShapeInferenceContextSetUnknownShape",
] as const;
export type Addresses = Readonly<Record<(typeof CALLED)[number], number>>;

const FLOAT_TYPE = 1;
const RESOURCE_EXHAUSTED = 8;
/** bytes of TF_AllocatorAttributes: its own size and a flag */
const ALLOCATOR_ATTRIBUTES = 9;
/** tensors of an operation, at most */
const MOST = 24;

const callee = (address: number): string => `inttoptr (i64 ${address} to ptr)`;

/** A function that leaves the shapes of an operation's outputs unknown. */
export function shapeFunction(target: Target, name: string, addresses: Addresses): string {
  const module = new Module(target.lanes);
  module.define(name, [PTR, PTR], (body, [context, status]) => {
    body.call("void", callee(addresses.TF_ShapeInferenceContextSetUnknownShape), [context, status]);
  });
  return module.text;
}

/**
 * What follows a kernel in its module: `create` gives TensorFlow the address of a description of the kernel, which the
 * trampoline is handed at every call.
 *
 * @param inputs tensors beside the plan
 */
export const described = (kernel: string, inputs: number, outputs: number): string => `
@description = constant { ptr, i64, i64 } { ptr @${kernel}, i64 ${inputs}, i64 ${outputs} }

define ptr @create(ptr %context) {
  ret ptr @description
}
`;

/** said when memory is short */
const MESSAGE = "no memory for the outputs or the scratch space of a kernel";

/** `void (description, TF_OpKernelContext *)`, which calls a kernel `void (inputs, outputs, parameters, scratch)`. */
export function trampoline(target: Target, name: string, addresses: Addresses): string {
  const module = new Module(target.lanes);
  module.define(name, [PTR, PTR], (body, [description, context]) => {
    const list = () => body.alloca(PTR, MOST);
    const [given, results, held] = [list(), list(), list()];
    const attributes = body.alloca(I64, 2);
    const [scratchSize, slot, faults] = [body.alloca(I64, 1), body.alloca(PTR, 1), body.alloca(I32, 1)];
    const call = (type: string, callable: keyof Addresses, args: Value[]) =>
      body.call(type, callee(addresses[callable]), args);
    const [inputs, outputs] = [1, 2].map((i) => body.load(I64, body.at(description, i, I64)));
    const status = call(PTR, "TF_NewStatus", []);
    body.store(i32(0), faults);
    const small = (value: Value) => body.convert("trunc", value, I32);
    const item = (of: Value, i: Value) => body.at(of, i, PTR);
    /** what went wrong before would be overwritten by the next call */
    const note = () => {
      body.store(body.binary("or", body.load(I32, faults), call(I32, "TF_GetCode", [status])), faults);
    };
    const data = (tensor: Value, to: Value) => {
      body.when(body.compare("ne", tensor, NULL), () => body.store(call(PTR, "TF_TensorData", [tensor]), to));
    };
    // the plan is the first input
    each(body, 0, body.add(inputs, 1), (i) => {
      call("void", "TF_GetInput", [context, small(i), slot, status]);
      note();
      const tensor = body.load(PTR, slot);
      body.store(tensor, item(held, i));
      data(tensor, item(given, i));
    });
    const plan = body.load(PTR, given);
    const first = body.add(inputs, 1);
    const [afterOutputs] = body.loop(0, outputs, 1, [plan], (i, [plan]) => {
      const rank = body.load(I64, plan);
      const dims = item(plan, i64(1));
      const [elements] = body.loop(0, rank, 1, [i64(1)], (axis, [product]) => [
        body.mul(product, body.load(I64, item(dims, axis))),
      ]);
      const shape = [dims, small(rank), body.mul(elements, 4), status];
      const tensor = call(PTR, "TF_AllocateOutput", [context, small(i), i32(FLOAT_TYPE), ...shape]);
      note();
      body.store(tensor, item(held, body.add(first, i)));
      data(tensor, item(results, i));
      return [item(dims, rank)];
    });
    body.store(body.load(I64, afterOutputs), scratchSize);
    body.store(i64(ALLOCATOR_ATTRIBUTES), attributes);
    body.store(i64(1), item(attributes, i64(1)));
    const scratch = call(PTR, "TF_AllocateTemp", [
      ...[context, i32(FLOAT_TYPE), scratchSize, i32(1)],
      ...[attributes, status],
    ]);
    note();
    body.store(NULL, slot);
    data(scratch, slot);
    const fault = body.load(I32, faults);
    const parameters = item(afterOutputs, i64(1));
    body.when(body.compare("eq", fault, i32(0)), () => {
      const kernel = body.load(PTR, description);
      body.call("void", kernel.text, [item(given, i64(1)), results, parameters, body.load(PTR, slot)]);
    });
    body.when(body.compare("ne", fault, i32(0)), () => {
      call("void", "TF_SetStatus", [status, i32(RESOURCE_EXHAUSTED), { type: PTR, text: "@message" }]);
      call("void", "TF_OpKernelContext_Failure", [context, status]);
    });
    release(body, held, body.add(first, outputs), (tensor) => call("void", "TF_DeleteTensor", [tensor]));
    call("void", "TF_DeleteTensor", [scratch]);
    call("void", "TF_DeleteStatus", [status]);
  });
  const message = `@message = constant [${MESSAGE.length + 1} x i8] c"${MESSAGE}\\00"`;
  return `${module.text}\n${message}\n`;
}

function release(body: Body, held: Value, count: Value, free: (tensor: Value) => void): void {
  each(body, 0, count, (i) => free(body.load(PTR, body.at(held, i, PTR))));
}
