/** Linear layers with bias on the WASM backend. */
import { FUSED } from "../kernels/fused.js";
import { address, floats, replaceKernel } from "./heap.js";
import { multiplyShared } from "./share.js";
import type { Workspace } from "./workspace.js";

export function registerLinear(work: Workspace): void {
  replaceKernel(FUSED.linear, ({ backend, inputs: { x, weight, bias } }) => {
    const [r, i] = x.shape;
    const o = weight.shape[0];
    const out = backend.makeOutput([r, o], "float32");
    const [X, W, Y] = [x, weight, out].map((info) => address(backend, info));
    multiplyShared(work, { at: X, row: i, column: 1 }, { at: W, row: 1, column: i }, Y, [r, o, i]);
    const y = floats(backend, out);
    const b = floats(backend, bias);
    for (let at = 0; at < y.length; at += o) for (let j = 0; j < o; j++) y[at + j] += b[j];
    return out;
  });
  replaceKernel(FUSED.linearGrad, ({ backend, inputs: { x, weight, dy } }) => {
    const [r, i] = x.shape;
    const o = weight.shape[0];
    const outputs = [[r, i], [o, i], [o]].map((shape) => backend.makeOutput(shape, "float32"));
    const [X, W, DY, DX, DW] = [x, weight, dy, outputs[0], outputs[1]].map((info) => address(backend, info));
    multiplyShared(work, { at: DY, row: o, column: 1 }, { at: W, row: i, column: 1 }, DX, [r, i, o]);
    multiplyShared(work, { at: DY, row: 1, column: o }, { at: X, row: i, column: 1 }, DW, [o, i, r]);
    const sums = new Float64Array(o);
    const slopes = floats(backend, dy);
    for (let at = 0; at < slopes.length; at += o) for (let j = 0; j < o; j++) sums[j] += slopes[at + j];
    floats(backend, outputs[2]).set(sums);
    return outputs;
  });
}
