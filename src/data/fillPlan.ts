/** What lies where: of one sample's window in a chunk, in the store and in its tokens. */
import { RUN, SPAN } from "./fillLoop.js";
import type { TokenLayout } from "./tokens.js";

/** Grid points of a sample's window along one axis that lie in one chunk. */
export interface Points {
  /** index on the axis within the window */
  window: Int32Array;
  /** index within the chunk */
  chunk: Int32Array;
  /** index in the store */
  store: Int32Array;
}

/** The same for every time and level, in values: tables as `fillLoop.ts` describes them. */
export interface FillPlan {
  rows: Int32Array;
  /** stretches of a row that are neighbours in the chunk, in the store and in a token */
  runs: Int32Array;
  /** stretches that are neighbours in the chunk */
  spans: Int32Array;
}

/** Values of a cache line. */
const LINE = 16;

/** @param rowSizes values of a row of the chunk, and of the store */
export function fillPlan(lat: Points, lon: Points, layout: TokenLayout, rowSizes: [number, number]): FillPlan {
  const rows = Array.from(lat.chunk, (y, i) => [
    y * rowSizes[0],
    lat.store[i] * rowSizes[1],
    layout.lat[lat.window[i]],
  ]);
  const runs = runsOf(lon, layout);
  return { rows: Int32Array.from(rows.flat()), runs, spans: spansOf(runs) };
}

function runsOf({ window, chunk, store }: Points, { lon }: TokenLayout): Int32Array {
  const runs: number[] = [];
  for (let x = 0; x < window.length; x++) {
    const to = lon[window[x]];
    const last = runs.length - RUN;
    const length = runs[last];
    if (
      x > 0 &&
      chunk[x] === runs[last + 1] + length &&
      store[x] === runs[last + 2] + length &&
      to === runs[last + 3] + length
    )
      runs[last]++;
    else runs.push(1, chunk[x], store[x], to);
  }
  return Int32Array.from(runs);
}

function spansOf(runs: Int32Array): Int32Array {
  const spans: number[] = [];
  for (let r = 0; r < runs.length; r += RUN) {
    const last = spans.length - SPAN;
    if (r > 0 && runs[r + 1] === spans[last] + spans[last + 1]) spans[last + 1] += runs[r];
    else spans.push(runs[r + 1], runs[r]);
  }
  return Int32Array.from(spans, (value, i) => (i % SPAN === 0 ? value : Math.ceil(value / LINE)));
}
