/** Small batches for tests of scores: a cube of known values, and tokens hidden in it. */
import type { CubeBatch, FieldCube } from "../../src/data/types.js";
import type { MaskedBatch, MaskedField } from "../../src/masking/types.js";
import { TOKEN_KIND } from "../../src/masking/types.js";
import { layoutOf, valueIndex } from "../../src/scores/layout.js";

export type Shape = FieldCube["shape"];

/** value of level l, sample b, time step, row and column of the window */
export type ValueAt = (l: number, b: number, step: number, row: number, column: number) => number;

export function cubeOf(shape: Shape, valueAt: ValueAt, timeIndex = 0, name = "velocity_u"): CubeBatch {
  const g = layoutOf({ shape });
  const tokens = new Float32Array(g.L * g.B * g.N * g.D);
  for (let l = 0; l < g.L; l++) {
    for (let b = 0; b < g.B; b++) {
      for (let step = 0; step < g.steps; step++) {
        for (let place = 0; place < g.places; place++) {
          for (let point = 0; point < g.points; point++) {
            const row = Math.floor(place / g.nx) * g.ty + Math.floor(point / g.tx);
            const column = (place % g.nx) * g.tx + (point % g.tx);
            tokens[valueIndex(g, l, b, step, place, point)] = valueAt(l, b, step, row, column);
          }
        }
      }
    }
  }
  const range = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
  const window = { time: range(g.steps), lat: range(g.ny * g.ty), lon: range(g.nx * g.tx) };
  return {
    draw: { timeIndex, places: Array.from({ length: g.B }, () => [0, 0] as [number, number]) },
    windows: Array.from({ length: g.B }, () => window),
    fields: [{ name, tokens, shape, infos: new Float32Array(g.L * g.B * g.N * 8), valid: null }],
  };
}

/** Hides the tokens for which `hide` gives bits of TOKEN_KIND (0: visible); masked ones become 0 in the source. */
export function hideTokens(cube: CubeBatch, hide: (l: number, b: number, n: number) => number): MaskedBatch {
  const fields = cube.fields.map((field): MaskedField => {
    const { L, B, N, D } = layoutOf(field);
    const source = new Float32Array(field.tokens.length);
    const [idx, kind, count]: [number[][], number[][], number[][]] = [[], [], []];
    const [target, valid]: [number[], number[]] = [[], []];
    for (let l = 0; l < L; l++) {
      [idx[l], kind[l], count[l]] = [[], [], new Array(B).fill(0)];
      for (let b = 0; b < B; b++) {
        for (let n = 0; n < N; n++) {
          const from = ((l * B + b) * N + n) * D;
          const values = field.tokens.subarray(from, from + D);
          const bits = hide(l, b, n);
          if (!(bits & TOKEN_KIND.masked)) source.set(values, ((b * L + l) * N + n) * D);
          if (!bits) continue;
          idx[l].push(n + N * b);
          kind[l].push(bits);
          count[l][b]++;
          target.push(...values);
          if (field.valid) valid.push(...field.valid.subarray(from, from + D));
        }
      }
    }
    return {
      name: field.name,
      L,
      B,
      N,
      D,
      source,
      infos: field.infos,
      target: Float32Array.from(target),
      valid: field.valid ? Uint8Array.from(valid) : null,
      idx: idx.map((i) => Int32Array.from(i)),
      count: count.map((c) => Int32Array.from(c)),
      kind: kind.map((k) => Uint8Array.from(k)),
    };
  });
  return { fields };
}

/** Hides every place of the given time tokens. */
export function hideTimes(cube: CubeBatch, times: number[]): MaskedBatch {
  const { places } = layoutOf(cube.fields[0]);
  return hideTokens(cube, (_l, _b, n) =>
    times.includes(Math.floor(n / places)) ? TOKEN_KIND.chosen | TOKEN_KIND.masked : 0,
  );
}
