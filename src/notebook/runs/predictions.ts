/** Predictions of a run as maps, read from its result stores. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { formatTime } from "../../data/time.js";
import { displayUnit } from "../../data/units.js";
import { AtmorepError } from "../../errors.js";
import { fiveDigits, type ResultKind, resultNames, resultPath } from "../../results/paths.js";
import { readFloats, readLevels, readTimes } from "../../results/readChecked.js";
import { openResults, type ResultStore } from "../../results/readResults.js";
import { runFolder } from "../../runs/folder.js";
import { readRun } from "../../runs/list.js";
import { type RunReference, runPlace } from "../../runs/locate.js";
import { ensembleVariance } from "../../scores/index.js";
import type { Grid } from "../grids.js";

export interface PredictionChoice {
  /** folder that holds `results/` */
  out?: string;
  field?: string;
  level?: number;
  /** number of the validation sample */
  sample?: number;
  /** time step of the window; default the one with the most hidden points, of those the last */
  step?: number;
  /** default the last that was written */
  epoch?: number;
}

export interface Prediction {
  target: Grid;
  prediction: Grid;
  /** standard deviation of the members; undefined for one member */
  spread: Grid | undefined;
  members: Grid[];
  epoch: number;
}

/**
 * One validation sample at one time step, in physical units; points that were not hidden are NaN.
 * @throws AtmorepError (usage) if the run has no result stores or they hold no such sample
 */
export async function readPrediction(run: RunReference, choice: PredictionChoice = {}): Promise<Prediction> {
  const { epoch, stores } = await openStores(run, choice, ["source", "target", "pred", "ens"]);
  try {
    return { ...(await readMaps(stores, choice)), epoch };
  } finally {
    for (const store of stores) await store.close();
  }
}

/** What a run's predictions of a field can be asked for. */
export interface PredictionExtent {
  /** numbers of the validation samples */
  samples: number[];
  levels: number[];
  /** of the sample's window, as `Grid.time` */
  times: string[];
}

/**
 * The samples, and of one of them the levels and times.
 * @throws AtmorepError (usage) as `readPrediction`
 */
export async function predictionExtent(run: RunReference, choice: PredictionChoice = {}): Promise<PredictionExtent> {
  const { stores } = await openStores(run, choice, ["source", "target"]);
  const [source, target] = stores;
  try {
    const { name, levels, axes } = await locateSample(source, target, choice);
    const groups = new Set([...target.arrays.keys()].map((path) => path.split("/").slice(0, 2).join("/")));
    const own = [...groups].filter((group) => group.startsWith(`${name}/`));
    const samples = own.map((group) => Number(group.split("=")[1])).sort((a, b) => a - b);
    return { samples, levels, times: axes.times.map(formatTime) };
  } finally {
    for (const store of stores) await store.close();
  }
}

/** A run's stores of the epoch that was chosen, or of the last; the caller closes them. */
async function openStores(run: RunReference, choice: PredictionChoice, kinds: readonly ResultKind[]) {
  const { id, out } = runPlace(run, choice.out);
  const epoch = choice.epoch ?? (await lastEpoch(out, id));
  const { resultsDir } = runFolder(out, id);
  const stores = await Promise.all(kinds.map((kind) => openResults(resultPath(resultsDir, id, epoch, kind))));
  return { epoch, stores };
}

/** Hidden points of several samples, in physical units, without their places. */
export interface HiddenPoints {
  members: { values: Float64Array; unit: string }[];
  target: { values: Float64Array; unit: string };
  samples: number;
}

/**
 * Every hidden point of a field and level: of one sample if the choice names it, else of all.
 * @throws AtmorepError (usage) if the run has no result stores or they hold no such field, level or sample
 */
export async function readHidden(run: RunReference, choice: PredictionChoice = {}): Promise<HiddenPoints> {
  const { stores } = await openStores(run, choice, ["source", "target", "ens"]);
  const [source, target, ens] = stores;
  try {
    const names = [...new Set([...target.arrays.keys()].map((path) => path.split("/").slice(0, 2).join("/")))];
    const field = choice.field ?? names[0]?.split("/")[0];
    const own = choice.sample === undefined ? names.filter((name) => name.startsWith(`${field}/`)) : [];
    const samples = choice.sample === undefined ? own.map((name) => Number(name.split("=")[1])) : [choice.sample];
    const { unit, scale } = displayUnit(field);
    const truths: number[] = [];
    const members: number[][] = [];
    for (const sample of samples) {
      const cubes = await sampleCubes([source, target, ens], { ...choice, field, sample });
      for (const [i, truth] of cubes.target.entries()) {
        if (Number.isNaN(truth)) continue;
        truths.push(truth * scale);
        for (const [e, cube] of cubes.members.entries()) {
          members[e] ??= [];
          members[e].push(cube[i] * scale);
        }
      }
    }
    const points = (values: number[]) => ({ values: Float64Array.from(values), unit });
    return { members: members.map(points), target: points(truths), samples: samples.length };
  } finally {
    for (const store of stores) await store.close();
  }
}

async function sampleCubes([source, target, ens]: ResultStore[], choice: PredictionChoice) {
  const { group, levels, l, axes } = await locateSample(source, target, choice);
  const [[truth], members] = [
    await readCubes(target, group, levels, l, axes, false),
    await readCubes(ens, group, levels, l, axes, true),
  ];
  return { target: truth, members };
}

async function lastEpoch(out: string, id: string): Promise<number> {
  const dir = runFolder(out, id).resultsDir;
  const names = await readdir(dir).catch(() => []);
  const epochs = resultNames(names, "pred").map(({ epoch }) => epoch);
  if (epochs.length > 0) return Math.max(...epochs);
  // says so if there is no such run at all
  await readRun(out, id);
  throw new AtmorepError("usage", "the run has no result stores", {
    where: join(dir, `results_id${id}_epoch*_pred.zarr`),
    fix: "They are written at each validation unless log_test_num_ranks is 0. Set it to 1 and train again, or make them with atmorep evaluate.",
  });
}

/** The group of a sample, its levels, and the axes of its window. */
async function locateSample(
  source: ResultStore,
  target: ResultStore,
  { field, level, sample = 0 }: PredictionChoice,
): Promise<{ name: string; group: string; levels: number[]; l: number; axes: Axes }> {
  const fields = [...new Set([...target.arrays.keys()].map((path) => path.split("/")[0]))];
  const name = field ?? fields[0];
  const group = `${name}/sample=${fiveDigits(sample)}`;
  if (!fields.includes(name) || !source.arrays.has(`${group}/data`)) {
    throw new AtmorepError("usage", "the result stores hold no such field or sample", {
      where: target.path,
      found: group,
      expected: `a field of ${fields.join(", ")} and a smaller sample number`,
    });
  }
  const levels = await readLevels(source, `${group}/ml`, 1);
  const l = level === undefined ? 0 : levels.indexOf(level);
  if (l < 0) {
    throw new AtmorepError("usage", "the result stores have no such level", {
      where: group,
      found: level,
      expected: `one of ${levels.join(", ")}`,
      fix: "Give one of these as level, or leave it out.",
    });
  }
  const axes: Axes = {
    times: [...(await readTimes(source, `${group}/datetime`, null))],
    lats: [...(await readFloats(source, `${group}/lat`, null))],
    lons: [...(await readFloats(source, `${group}/lon`, null))],
  };
  return { name, group, levels, l, axes };
}

async function readMaps(
  [source, target, pred, ens]: ResultStore[],
  choice: PredictionChoice,
): Promise<Omit<Prediction, "epoch">> {
  const { name, group, levels, l, axes } = await locateSample(source, target, choice);
  const { step } = choice;
  const read = (store: ResultStore) => readCubes(store, group, levels, l, axes, store === ens);
  const [truth, mean, members] = [await read(target), await read(pred), await read(ens)];
  const chosen = step ?? fullestStep(truth[0], axes);
  if (!(chosen in axes.times)) {
    throw new AtmorepError("usage", "no such time step", {
      where: "step",
      found: chosen,
      expected: `0 to ${axes.times.length - 1}`,
    });
  }
  const { unit, scale } = displayUnit(name);
  const lons = Float64Array.from(axes.lons);
  for (let i = 1; i < lons.length; i++) while (lons[i] < lons[i - 1]) lons[i] += 360;
  const plane = axes.lats.length * lons.length;
  const grid = (cube: Float64Array): Grid => ({
    field: name,
    level: levels[l],
    unit,
    time: formatTime(axes.times[chosen]),
    values: cube.slice(chosen * plane, (chosen + 1) * plane).map((value) => value * scale),
    lats: Float64Array.from(axes.lats),
    lons,
  });
  const grids = members.map(grid);
  return { target: grid(truth[0]), prediction: grid(mean[0]), members: grids, spread: spreadOf(grids) };
}

interface Axes {
  times: bigint[];
  lats: number[];
  lons: number[];
}

/** Cubes [time, lat, lon] of the window, one a member; NaN where nothing was hidden. */
async function readCubes(
  store: ResultStore,
  group: string,
  levels: number[],
  l: number,
  axes: Axes,
  withMembers: boolean,
): Promise<Float64Array[]> {
  const { times, lats, lons } = axes;
  const place = (list: readonly (number | bigint)[]) => new Map(list.map((value, i) => [value, i]));
  const at = { time: place(times), lat: place(lats), lon: place(lons) };
  const cubes: Float64Array[] = [];
  const cube = (e: number) => {
    cubes[e] ??= new Float64Array(times.length * lats.length * lons.length).fill(Number.NaN);
    return cubes[e];
  };
  const whole = store.arrays.get(`${group}/data`);
  const own = whole ? group : `${group}/ml=${fiveDigits(levels[l])}`;
  const facts = store.arrays.get(`${own}/data`);
  if (!facts) return [cube(0)];
  const data = await readFloats(store, `${own}/data`, null);
  const t = await readTimes(store, `${own}/datetime`, null);
  const [y, x] = await Promise.all(["lat", "lon"].map((axis) => readFloats(store, `${own}/${axis}`, null)));
  const shape = facts.shape;
  const [T, Y, X] = shape.slice(-3);
  // forecasts: [E, L, T, Y, X], one window; otherwise tokens: [m, E, T, Y, X]
  const E = withMembers ? (whole ? shape[0] : shape[1]) : 1;
  const pieces = whole ? 1 : shape[0];
  const L = whole ? levels.length : 1;
  for (let m = 0; m < pieces; m++) {
    for (let e = 0; e < E; e++) {
      const from = whole ? (e * L + l) * T * Y * X : (m * E + e) * T * Y * X;
      for (let i = 0; i < T; i++) {
        for (let j = 0; j < Y; j++) {
          for (let k = 0; k < X; k++) {
            const row = at.time.get(t[m * T + i])! * lats.length + at.lat.get(y[m * Y + j])!;
            cube(e)[row * lons.length + at.lon.get(x[m * X + k])!] = data[from + (i * Y + j) * X + k];
          }
        }
      }
    }
  }
  return cubes;
}

function fullestStep(cube: Float64Array, { times }: Axes): number {
  const plane = cube.length / times.length;
  let [best, most] = [0, -1];
  for (let t = 0; t < times.length; t++) {
    const hidden = cube.subarray(t * plane, (t + 1) * plane).reduce((n, v) => n + (Number.isNaN(v) ? 0 : 1), 0);
    if (hidden >= most) [best, most] = [t, hidden];
  }
  return best;
}

function spreadOf(members: readonly Grid[]): Grid | undefined {
  const E = members.length;
  if (E < 2) return undefined;
  const n = members[0].values.length;
  const values = Float64Array.from({ length: n * E }, (_, i) => members[i % E].values[Math.floor(i / E)]);
  const variance = ensembleVariance({ values, E });
  return { ...members[0], values: variance.map((v) => Math.sqrt(v)) };
}
