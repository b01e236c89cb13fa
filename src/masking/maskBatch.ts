import type { Field, RunConfig } from "../config/types.js";
import type { Buffers } from "../data/pool.js";
import type { CubeBatch, FieldCube, FieldSamples, SampleBatch } from "../data/types.js";
import { AtmorepError } from "../errors.js";
import { applyChoice, coarsenTokens, type DrawNormals } from "./apply.js";
import { emptyChoice, isUnmasked, type LevelChoice, type StrategyConfig } from "./choice.js";
import type { LevelGenerators } from "./generators.js";
import { fillNormals } from "./normals.js";
import { getStrategy } from "./registry.js";
import { tokenKernel } from "./tokenKernel.js";
import { type LevelLayout, type MaskedBatch, type MaskedField, placeOf } from "./types.js";

export interface MaskOptions {
  /** `count` standard normal numbers for level number `level` of `field`, in place of the own noise stream */
  normals?: (field: number, level: number, count: number) => Float32Array;
  /** where arrays are taken from; the system if there is none */
  pool?: Buffers;
}

type MaskConfig = StrategyConfig & Pick<RunConfig, "BERT_strategy" | "BERT_mr_max">;

/**
 * Hides part of a batch by the configured strategy. The cube is left as it is; the generators move on.
 * @param cube fields [L, B, nt, ny, nx, tt, ty, tx] in the order of `fields`
 * @returns what the network sees [B, L, N, D], the targets [M, D], and which tokens were chosen
 * @throws AtmorepError `config` for a bad strategy or its settings, `input` if cube and fields do not fit together
 */
export function maskBatch(
  cube: CubeBatch,
  fields: readonly Field[],
  config: MaskConfig,
  generators: LevelGenerators,
  options: MaskOptions = {},
): MaskedBatch {
  for (const [f, field] of fields.entries()) checkShape(field, cube.fields[f], ([L, B]) => [L, B]);
  return maskInPlace({ ...cube, fields: cube.fields.map(samplesFirst) }, fields, config, generators, options);
}

/**
 * The same of a batch whose samples stand first, without a copy: its tokens and infos become those of the masked batch.
 * @throws AtmorepError as `maskBatch`
 */
export function maskInPlace(
  batch: SampleBatch,
  fields: readonly Field[],
  config: MaskConfig,
  generators: LevelGenerators,
  { normals: given, pool }: MaskOptions = {},
): MaskedBatch {
  const strategy = getStrategy(config.BERT_strategy);
  const drawing =
    (f: number) =>
    (l: number, count: number): DrawNormals => {
      if (!given) return (into) => fillNormals(generators.noise[f][l], into);
      const all = given(f, l, count);
      let done = 0;
      return (into) => {
        into.set(all.subarray(done, done + into.length));
        done += into.length;
      };
    };
  const masked = fields.map((field, f) => {
    const samples = batch.fields[f];
    checkShape(field, samples, ([B, L]) => [L, B]);
    const [B] = samples.shape;
    const choices = field.levels.map((_, l) =>
      isUnmasked(field) ? emptyChoice(B) : strategy.choose(field, B, config, generators.choice[f][l]),
    );
    return maskField(samples, field, choices, config.BERT_mr_max, drawing(f), pool);
  });
  return { fields: masked };
}

/** Carries out the choices of all levels of one field, in place. */
function maskField(
  { name, tokens, infos, valid: counts, shape: [B] }: FieldSamples,
  { L, N, D, tokenSize }: Field,
  choices: LevelChoice[],
  maxFactor: number,
  normals: (level: number, count: number) => DrawNormals,
  pool: Buffers | undefined,
): MaskedField {
  const numTargets = choices.reduce((sum, { idx }) => sum + idx.length, 0);
  // A buffer of the pool is as large as if every token were hidden, so that it serves every batch; a strategy that chooses
  // tokens twice may want more.
  const room = Math.max(tokens.length, numTargets * D);
  const target = pool ? pool.take(room).subarray(0, numTargets * D) : new Float32Array(numTargets * D);
  const valid = counts ? new Uint8Array(numTargets * D) : null;
  const kernel = tokenKernel(pool?.room, D, tokens, target);
  let m = 0;
  for (let l = 0; l < L; l++) {
    const choice = choices[l];
    const layout: LevelLayout = { source: tokens, start: l * N * D, stride: L * N * D, B, N, tokenSize };
    const draw = choice.noiseWeights.length > 0 ? normals(l, choice.noiseWeights.length * D) : null;
    const distinct = areDistinct(choice.idx, B * N, name);
    if (valid && counts) copyTokens(layout, choice.idx, counts, valid, m * D);
    if (kernel && distinct) {
      const std = draw && kernel.pointwiseStd(layout);
      kernel.take(layout, choice, target, m * D);
      if (draw && std) kernel.noise(layout, choice, std, draw);
      coarsenTokens(layout, choice, maxFactor);
    } else {
      copyTokens(layout, choice.idx, tokens, target, m * D);
      applyChoice(layout, choice, draw, maxFactor);
    }
    m += choice.idx.length;
  }
  return {
    name,
    L,
    B,
    N,
    D,
    source: tokens,
    infos,
    target,
    valid,
    idx: choices.map(({ idx }) => idx),
    count: choices.map(({ count }) => count),
    kind: choices.map(({ kind }) => kind),
  };
}

/** Copies tokens one after the other to `out`, from its value `first` on. */
function copyTokens<T extends Float32Array | Uint8Array>(
  layout: LevelLayout,
  idx: Int32Array,
  values: T,
  out: T,
  first: number,
): void {
  const D = layout.tokenSize[0] * layout.tokenSize[1] * layout.tokenSize[2];
  const place = placeOf(layout);
  let to = first;
  for (const token of idx) {
    const from = place(token);
    for (let d = 0; d < D; d++) out[to++] = values[from + d];
  }
}

/**
 * False where a strategy of a notebook has chosen a token twice.
 * @throws AtmorepError (config) if it has chosen one that there is not: loops of WebAssembly write wherever they are told
 */
function areDistinct(idx: Int32Array, count: number, field: string): boolean {
  const seen = new Uint8Array(count);
  let distinct = true;
  for (const token of idx) {
    if (!(token >= 0 && token < count)) {
      throw new AtmorepError("config", "the masking strategy has chosen a token that there is not", {
        where: `idx of ${field}`,
        found: token,
        expected: `0 to ${count - 1}, n + N * b of token n of sample b`,
      });
    }
    if (seen[token] === 1) distinct = false;
    seen[token] = 1;
  }
  return distinct;
}

/** A copy of a cube's field with the samples first. */
function samplesFirst({ name, tokens, infos, valid, shape: [L, B, ...rest] }: FieldCube): FieldSamples {
  return {
    name,
    tokens: swapLevelAndSample(tokens, new Float32Array(tokens.length), L, B),
    shape: [B, L, ...rest],
    infos: swapLevelAndSample(infos, new Float32Array(infos.length), L, B),
    valid: valid && swapLevelAndSample(valid, new Uint8Array(valid.length), L, B),
  };
}

/** [L, B, ...] to [B, L, ...]. */
function swapLevelAndSample<T extends Float32Array | Uint8Array>(x: T, out: T, L: number, B: number): T {
  const size = x.length / (L * B);
  for (let l = 0; l < L; l++) {
    for (let b = 0; b < B; b++) out.set(x.subarray((l * B + b) * size, (l * B + b + 1) * size), (b * L + l) * size);
  }
  return out;
}

function checkShape<S extends FieldCube["shape"]>(
  field: Field,
  found: { name: string; shape: S } | undefined,
  levelAndSample: (shape: S) => [L: number, B: number],
): void {
  const [L, B] = found ? levelAndSample(found.shape) : [0, 0];
  const have = found && [found.name, L, B, ...found.shape.slice(2)].join(" ");
  const expected = [field.name, field.L, B, ...field.numTokens, ...field.tokenSize].join(" ");
  if (have === expected) return;
  throw new AtmorepError("input", "the batch does not fit the field", {
    where: `field ${field.name}`,
    found: have ?? "nothing",
    expected,
  });
}
