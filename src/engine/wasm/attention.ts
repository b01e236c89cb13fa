/** Attention head by head on the WASM backend. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { FUSED } from "../kernels/fused.js";
import type { Sizes } from "./heads.js";
import { address, type Call, replaceKernel } from "./heap.js";
import { attendShared } from "./share.js";
import type { Workspace } from "./workspace.js";

export function registerAttention(work: Workspace): void {
  replaceKernel(FUSED.attention, (call) => attention(work, call));
  replaceKernel(FUSED.attentionGrad, (call) => attentionGrad(work, call));
}

function sizesOf({ inputs: { q, k }, attrs }: Call): Sizes {
  const { batch, heads } = attrs as { batch: number; heads: number };
  return { batch, heads, t: q.shape[0] / batch, s: k.shape[0] / batch, w: q.shape[1] / heads };
}

function attention(work: Workspace, call: Call): TensorInfo {
  const { backend, inputs } = call;
  const { q, k, v } = inputs;
  const out = backend.makeOutput(q.shape, "float32");
  const tensors = [q, k, v, out].map((info) => address(backend, info));
  attendShared(work, "attend", sizesOf(call), tensors);
  return out;
}

function attentionGrad(work: Workspace, call: Call): TensorInfo[] {
  const { backend, inputs } = call;
  const { q, k, v, o, dy } = inputs;
  const outputs = [q, k, v].map(({ shape }) => backend.makeOutput(shape, "float32"));
  const tensors = [q, k, v, o, dy, ...outputs].map((info) => address(backend, info));
  attendShared(work, "attendGrad", sizesOf(call), tensors);
  return outputs;
}
