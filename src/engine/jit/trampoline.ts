/** From TensorFlow's calling convention to ours: inputs fetched, outputs allocated, then the kernel. */
import { type Body, I32, I64, i32, i64, Module, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";

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

const callee = (address: number): string => `inttoptr (i64 ${address} to ptr)`;

/** A function that leaves the shapes of an operation's outputs unknown. */
export function shapeFunction(target: Target, name: string, addresses: Addresses): string {
  const module = new Module(target.lanes);
  module.define(name, [PTR, PTR], (body, [context, status]) => {
    body.call("void", callee(addresses.TF_ShapeInferenceContextSetUnknownShape), [context, status]);
  });
  return module.text;
}

interface Signature {
  /** tensors beside the plan */
  inputs: number;
  outputs: number;
}

/**
 * `void (void *, TF_OpKernelContext *)`, which calls a kernel `void (inputs, outputs, parameters, scratch)`.
 *
 * @param kernel its address
 * @param message address of what is said when memory is short
 */
export function trampoline(
  target: Target,
  name: string,
  { inputs, outputs }: Signature,
  { addresses, kernel, message }: { addresses: Addresses; kernel: number; message: number },
): string {
  const module = new Module(target.lanes);
  module.define(name, [PTR, PTR], (body, [, context]) => {
    const list = (count: number) => body.alloca(PTR, Math.max(1, count));
    const [given, results, held] = [list(inputs), list(outputs), list(inputs + 1 + outputs + 1)];
    const attributes = body.alloca(I64, 2);
    const planData = list(1);
    const call = (type: string, function_: keyof Addresses, args: Value[]) =>
      body.call(type, callee(addresses[function_]), args);
    const status = call(PTR, "TF_NewStatus", []);
    let fault: Value = i32(0);
    let count = 0;
    /** keeps a tensor until the end, and stores where its elements are */
    const hold = (tensor: Value, to: Value) => {
      body.store(tensor, body.at(held, count++, PTR));
      body.store(call(PTR, "TF_TensorData", [tensor]), to);
    };
    const checked = () => {
      fault = body.binary("or", fault, call(I32, "TF_GetCode", [status]));
    };
    const slot = list(1);
    for (let i = 0; i <= inputs; i++) {
      call("void", "TF_GetInput", [context, i32(i), slot, status]);
      hold(body.load(PTR, slot), i === 0 ? planData : body.at(given, i - 1, PTR));
    }
    let plan = body.load(PTR, planData);
    const next = (): Value => {
      const number = body.load(I64, plan);
      plan = body.at(plan, 1, I64);
      return number;
    };
    const allocated = (tensor: Value, to: Value) => {
      checked();
      body.store({ type: PTR, text: "null" }, body.at(held, count, PTR));
      const at = count++;
      body.when(body.compare("ne", tensor, { type: PTR, text: "null" }), () => {
        body.store(tensor, body.at(held, at, PTR));
        body.store(call(PTR, "TF_TensorData", [tensor]), to);
      });
    };
    for (let i = 0; i < outputs; i++) {
      const rank = next();
      const dims = plan;
      const [elements] = body.loop(0, rank, 1, [i64(1)], (axis, [product]) => [
        body.mul(product, body.load(I64, body.at(dims, axis, I64))),
      ]);
      plan = body.at(plan, rank, I64);
      const size = [dims, body.convert("trunc", rank, I32), body.mul(elements, 4), status];
      allocated(
        call(PTR, "TF_AllocateOutput", [context, i32(i), i32(FLOAT_TYPE), ...size]),
        body.at(results, i, PTR),
      );
    }
    const scratch = next();
    const scratchData = list(1);
    const scratchSize = body.alloca(I64, 1);
    body.store(scratch, scratchSize);
    body.store(i64(ALLOCATOR_ATTRIBUTES), attributes);
    body.store(i64(1), body.at(attributes, 1, I64));
    const temporary = [i32(FLOAT_TYPE), scratchSize, i32(1), attributes, status];
    allocated(call(PTR, "TF_AllocateTemp", [context, ...temporary]), scratchData);
    const well = body.compare("eq", fault, i32(0));
    const parameters = plan;
    body.when(well, () => {
      body.call("void", callee(kernel), [given, results, parameters, body.load(PTR, scratchData)]);
    });
    body.when(body.compare("ne", fault, i32(0)), () => {
      call("void", "TF_SetStatus", [status, i32(RESOURCE_EXHAUSTED), { type: PTR, text: callee(message) }]);
      call("void", "TF_OpKernelContext_Failure", [context, status]);
    });
    release(body, held, count, (tensor) => call("void", "TF_DeleteTensor", [tensor]));
    call("void", "TF_DeleteStatus", [status]);
  });
  return module.text;
}

function release(body: Body, held: Value, count: number, free: (tensor: Value) => void): void {
  for (let i = 0; i < count; i++) free(body.load(PTR, body.at(held, i, PTR)));
}
