import type { Field, RunConfig } from "../config/types.js";
import type { CubeBatch, FieldCube } from "../data/types.js";
import { AtmorepError } from "../errors.js";
import { applyChoice, pointwiseStd } from "./apply.js";
import { emptyChoice, isUnmasked, type LevelChoice, type StrategyConfig } from "./choice.js";
import type { LevelGenerators } from "./generators.js";
import { getStrategy } from "./registry.js";
import type { MaskedBatch, MaskedField } from "./types.js";

export interface MaskOptions {
  /** `count` standard normal numbers for level number `level` of `field`, in place of the own noise stream */
  normals?: (field: number, level: number, count: number) => Float32Array;
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
  const strategy = getStrategy(config.BERT_strategy);
  const normals =
    options.normals ?? ((f, l, count) => generators.noise[f][l].standardNormal(count, new Float32Array(count)));
  const masked = fields.map((field, f) => {
    const fieldCube = cube.fields[f];
    checkCube(field, fieldCube);
    const B = fieldCube.shape[1];
    const choices = field.levels.map((_, l) =>
      isUnmasked(field) ? emptyChoice(B) : strategy.choose(field, B, config, generators.choice[f][l]),
    );
    return maskField(fieldCube, field, choices, config.BERT_mr_max, (l, count) => normals(f, l, count));
  });
  return { fields: masked };
}

/** Carries out the choices of all levels of one field. */
function maskField(
  cube: FieldCube,
  { L, N, D, tokenSize }: Field,
  choices: LevelChoice[],
  maxFactor: number,
  normals: (level: number, count: number) => Float32Array,
): MaskedField {
  const B = cube.shape[1];
  const source = swapLevelAndSample(cube.tokens, L, B);
  const numTargets = choices.reduce((sum, { idx }) => sum + idx.length, 0);
  const target = new Float32Array(numTargets * D);
  const valid = cube.valid ? new Uint8Array(numTargets * D) : null;
  let m = 0;
  for (let l = 0; l < L; l++) {
    const choice = choices[l];
    const first = l * B * N * D;
    // the cube has the level first, so n + N*b counts the tokens of this level
    for (const token of choice.idx) {
      const from = first + token * D;
      target.set(cube.tokens.subarray(from, from + D), m * D);
      if (valid && cube.valid) valid.set(cube.valid.subarray(from, from + D), m * D);
      m++;
    }
    const numNoised = choice.noiseWeights.length;
    const std = numNoised > 0 ? pointwiseStd(cube.tokens.subarray(first, first + B * N * D), D) : new Float64Array(D);
    const layout = { source, start: l * N * D, stride: L * N * D, N, tokenSize };
    applyChoice(layout, choice, std, numNoised > 0 ? normals(l, numNoised * D) : new Float32Array(0), maxFactor);
  }
  return {
    name: cube.name,
    L,
    B,
    N,
    D,
    source,
    infos: swapLevelAndSample(cube.infos, L, B),
    target,
    valid,
    idx: choices.map(({ idx }) => idx),
    count: choices.map(({ count }) => count),
    kind: choices.map(({ kind }) => kind),
  };
}

/** [L, B, ...] to [B, L, ...], a copy. */
function swapLevelAndSample(x: Float32Array, L: number, B: number): Float32Array {
  const size = x.length / (L * B);
  const out = new Float32Array(x.length);
  for (let l = 0; l < L; l++) {
    for (let b = 0; b < B; b++) out.set(x.subarray((l * B + b) * size, (l * B + b + 1) * size), (b * L + l) * size);
  }
  return out;
}

function checkCube(field: Field, cube: FieldCube | undefined): void {
  const found = cube && [cube.name, ...cube.shape];
  const expected = [field.name, field.L, cube?.shape[1], ...field.numTokens, ...field.tokenSize];
  if (found?.join() === expected.join()) return;
  throw new AtmorepError("input", "the batch does not fit the field", {
    where: `field ${field.name}`,
    found: found?.join(" ") ?? "nothing",
    expected: expected.join(" "),
  });
}
