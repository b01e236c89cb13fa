/** Golden kind `mask`: strategies over successive calls, the generators running on from call to call. */
import { parseFields } from "../../config/fields.js";
import type { Field, RunConfig } from "../../config/types.js";
import type { CubeBatch, FieldCube } from "../../data/types.js";
import { AtmorepError } from "../../errors.js";
import { toFloat32, toNumbers } from "../../formats/safetensors.js";
import { createMaskGenerators, maskBatch, TOKEN_KIND } from "../../masking/index.js";
import type { MaskedField } from "../../masking/types.js";
import { compare, TOLERANCES } from "../compare.js";
import type { Comparison, GoldenCase, KindRunner } from "../types.js";

export const runner: KindRunner = async (golden) => {
  const config = golden.config as RunConfig;
  const fields = parseFields(config);
  const generators = createMaskGenerators(config, fields);
  const comparisons: Comparison[] = [];
  for (let k = 0; golden.tensors.has(`call${k}.in.tokens.0`); k++) {
    const call = `call${k}`;
    const cube = readCube(golden, call, fields);
    const normals = (f: number, l: number, count: number) => {
      const recorded = values(golden, `${call}.in.randn.${f}.${l}`);
      if (recorded.length === count) return recorded;
      throw new AtmorepError("input", "the case has other normal numbers than are needed", {
        where: `${call}.in.randn.${f}.${l}`,
        found: recorded.length,
        expected: `${count}`,
      });
    };
    const batch = maskBatch(cube, fields, config, generators, { normals });
    for (const [f, field] of batch.fields.entries()) comparisons.push(...compareField(golden, call, f, field));
  }
  return comparisons;
};

/** The batch that a call is fed; token infos pass through masking and are not compared. */
function readCube(golden: GoldenCase, call: string, fields: Field[]): CubeBatch {
  const cubes = fields.map((field, f): FieldCube => {
    const name = `${call}.in.tokens.${f}`;
    const tokens = values(golden, name);
    const shape = golden.tensors.get(name)!.shape as FieldCube["shape"];
    return { name: field.name, tokens, shape, infos: new Float32Array(field.L * shape[1] * field.N * 8), valid: null };
  });
  return { draw: { timeIndex: 0, places: [] }, windows: [], fields: cubes };
}

function values(golden: GoldenCase, name: string): Float32Array {
  const tensor = golden.tensors.get(name);
  if (tensor) return toFloat32(tensor);
  throw new AtmorepError("input", "the case lacks a tensor", { where: golden.name, expected: name });
}

/** A field left alone has neither targets nor indices in the case: then ours must be empty. */
function compareField(golden: GoldenCase, call: string, f: number, field: MaskedField): Comparison[] {
  const numbers = (name: string, otherwise: ArrayLike<number>) => {
    const tensor = golden.tensors.get(name);
    return tensor ? toNumbers(tensor) : otherwise;
  };
  const comparisons = field.idx.flatMap((idx, l) => {
    const indices = `${call}.out.idx.${f}.${l}`;
    const counts = `${call}.out.count.${f}.${l}`;
    return [
      compare(indices, idx, numbers(indices, []), TOLERANCES.exact),
      compare(counts, field.count[l], numbers(counts, new Int32Array(field.B)), TOLERANCES.exact),
    ];
  });
  const target = `${call}.out.target.${f}`;
  comparisons.push(compare(target, field.target, numbers(target, []), TOLERANCES.exact));
  return [...comparisons, ...compareSource(`${call}.out.sources.${f}`, golden, field)];
}

/** Coarsened tokens are not compared (a departure), noised ones within a tolerance, all others exactly. */
function compareSource(name: string, golden: GoldenCase, field: MaskedField): Comparison[] {
  const { source, L, N, D } = field;
  const expected = values(golden, name);
  if (expected.length !== source.length) return [compare(name, source, expected, TOLERANCES.exact)];
  const exact = source.slice();
  const noised: [ours: number[], theirs: number[]] = [[], []];
  for (let l = 0; l < L; l++) {
    for (const [m, token] of field.idx[l].entries()) {
      const kind = field.kind[l][m];
      if (!(kind & (TOKEN_KIND.noised | TOKEN_KIND.coarsened))) continue;
      const at = (Math.floor(token / N) * L * N + l * N + (token % N)) * D;
      if (!(kind & TOKEN_KIND.coarsened)) {
        noised[0].push(...source.subarray(at, at + D));
        noised[1].push(...expected.subarray(at, at + D));
      }
      exact.set(expected.subarray(at, at + D), at);
    }
  }
  return [
    compare(`${name} (untouched and masked tokens)`, exact, expected, TOLERANCES.exact),
    compare(`${name} (noised tokens)`, noised[0], noised[1], TOLERANCES.tokens),
  ];
}
