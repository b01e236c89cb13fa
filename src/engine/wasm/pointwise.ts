/** GELU and layer normalisation on the WASM backend, forward and backward in one pass each. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { FUSED } from "../kernels/fused.js";
import { LAYER_NORM_EPSILON } from "../kernels/layerNorm.js";
import { address, type Call, floats, replaceKernel } from "./heap.js";
import type { Workspace } from "./workspace.js";

export function registerPointwise(work: Workspace): void {
  replaceKernel(FUSED.gelu, ({ backend, inputs: { x } }) => {
    const y = backend.makeOutput(x.shape, "float32");
    byGroups(work, floats(backend, x).length, [address(backend, x), address(backend, y)], ([x, y], groups) =>
      work.run.gelu(x, y, groups),
    );
    return y;
  });
  replaceKernel(FUSED.geluGrad, ({ backend, inputs: { x, dy } }) => {
    const dx = backend.makeOutput(x.shape, "float32");
    const addresses = [x, dy, dx].map((info) => address(backend, info));
    byGroups(work, floats(backend, x).length, addresses, ([x, dy, dx], groups) => work.run.geluGrad(x, dy, dx, groups));
    return dx;
  });
  replaceKernel(FUSED.layerNorm, layerNorm);
  replaceKernel(FUSED.layerNormGrad, layerNormGrad);
}

/** Runs a loop over groups of four; what is left at the end goes through scratch space. The last address is written. */
function byGroups(work: Workspace, n: number, at: number[], loop: (at: number[], groups: number) => void): void {
  const groups = Math.floor(n / 4);
  const rest = n % 4;
  if (groups > 0) loop(at, groups);
  if (rest === 0) return;
  const copies = at.map((_, i) => work.scratch(`rest${i}`, 16));
  const heap = work.heap();
  for (const [i, copy] of copies.entries()) {
    const from = at[i] / 4 + 4 * groups;
    heap.fill(0, copy / 4, copy / 4 + 4);
    heap.copyWithin(copy / 4, from, from + rest);
  }
  loop(copies, 1);
  const last = copies.at(-1)! / 4;
  heap.copyWithin(at.at(-1)! / 4 + 4 * groups, last, last + rest);
}

function layerNorm({ backend, inputs: { x, gamma, beta } }: Call): TensorInfo[] {
  const d = x.shape.at(-1)!;
  const y = backend.makeOutput(x.shape, "float32");
  const rows = floats(backend, x).length / d;
  const mean = backend.makeOutput([rows], "float32");
  const scale = backend.makeOutput([rows], "float32");
  const [X, Y, S, C] = [x, y, scale, mean].map((info) => floats(backend, info));
  const G = gamma ? floats(backend, gamma) : null;
  const B = beta ? floats(backend, beta) : null;
  for (let r = 0, at = 0; r < rows; r++, at += d) {
    const centre = sumOf(X, at, d) / d;
    const s = 1 / Math.sqrt(sumOfSquares(X, at, d, centre) / d + LAYER_NORM_EPSILON);
    C[r] = centre;
    S[r] = s;
    if (G && B) for (let i = 0; i < d; i++) Y[at + i] = (X[at + i] - centre) * s * G[i] + B[i];
    else for (let i = 0; i < d; i++) Y[at + i] = (X[at + i] - centre) * s;
  }
  return [y, mean, scale];
}

/** Sum of `d` elements, in two halves since each addition waits for the one before. */
function sumOf(x: Float32Array, at: number, d: number): number {
  const half = d >> 1;
  let [a, b] = [0, 0];
  for (let i = at, j = at + half; i < at + half; i++, j++) {
    a += x[i];
    b += x[j];
  }
  return a + b + (d % 2 === 1 ? x[at + d - 1] : 0);
}

/** The same of the squares of differences. */
function sumOfSquares(x: Float32Array, at: number, d: number, centre: number): number {
  const half = d >> 1;
  const square = (i: number) => (x[i] - centre) * (x[i] - centre);
  let [a, b] = [0, 0];
  for (let i = at, j = at + half; i < at + half; i++, j++) {
    a += square(i);
    b += square(j);
  }
  return a + b + (d % 2 === 1 ? square(at + d - 1) : 0);
}

function layerNormGrad({ backend, inputs: { x, mean, scale, dy, gamma } }: Call): TensorInfo[] {
  const d = x.shape.at(-1)!;
  const dx = backend.makeOutput(x.shape, "float32");
  const dGamma = gamma ? backend.makeOutput([d], "float32") : null;
  const dBeta = gamma ? backend.makeOutput([d], "float32") : null;
  const [X, C, S, DY, DX] = [x, mean, scale, dy, dx].map((info) => floats(backend, info));
  const G = gamma ? floats(backend, gamma) : null;
  const sumGamma = new Float64Array(d);
  const sumBeta = new Float64Array(d);
  const g = new Float64Array(d);
  const hat = new Float64Array(d);
  for (let r = 0, at = 0; r < S.length; r++, at += d) {
    let sum = 0;
    let along = 0;
    const [centre, s] = [C[r], S[r]];
    for (let i = 0; i < d; i++) {
      const slope = DY[at + i];
      const normal = (X[at + i] - centre) * s;
      const weighted = G ? slope * G[i] : slope;
      hat[i] = normal;
      g[i] = weighted;
      sum += weighted;
      along += weighted * normal;
      if (G) {
        sumGamma[i] += slope * normal;
        sumBeta[i] += slope;
      }
    }
    const [level, slope] = [sum / d, along / d];
    for (let i = 0; i < d; i++) DX[at + i] = s * (g[i] - level - hat[i] * slope);
  }
  if (!dGamma || !dBeta) return [dx];
  floats(backend, dGamma).set(sumGamma);
  floats(backend, dBeta).set(sumBeta);
  return [dx, dGamma, dBeta];
}
