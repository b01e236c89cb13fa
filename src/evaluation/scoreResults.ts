/** Scores of existing result stores, ours or the reference's: physical units, no run and no input store needed. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { resolveConfig } from "../config/resolve.js";
import { displayUnit } from "../data/units.js";
import { AtmorepError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";
import { type ResultName, resultNames } from "../results/paths.js";
import { openResults, type ResultStore } from "../results/readResults.js";
import { type ResultStores, readSample, type StoredSample } from "../results/storedSample.js";
import { configPath } from "../runs/folder.js";
import {
  anomalyQuantity,
  ensembleQuantity,
  isPeriodic,
  REGIONS,
  type Region,
  type ScoreAccumulator,
  type ScoreReport,
  scoreAccumulator,
  scoreReport,
  verdict,
} from "../scores/index.js";
import { regionsOf } from "./scoring.js";
import { NOT_PERIODIC, NOT_WHOLE, Spectra } from "./spectra.js";

export interface ScoreResultsOptions {
  /** default: the last epoch there is */
  epoch?: number;
  /** where `scores.json` goes; default: beside the stores, unless there is one */
  out?: string;
}

export interface ScoredResults {
  scores: ScoreReport;
  about: { results: string; epoch: number; samples: number; units: Record<string, string>; verdict: string };
  /** of `scores.json`; null if it was not written */
  path: string | null;
}

/**
 * Scores the stores `results_id<ID>_epoch<n>_{target,pred,ens,source}.zarr` of a folder, sample by sample. Baselines
 * come from the source: of forecasts climatology and persistence, of tokens what the network saw.
 * @throws AtmorepError `usage` if there are none, `input` if they contradict each other
 */
export async function scoreResults(dir: string, options: ScoreResultsOptions = {}): Promise<ScoredResults> {
  const { scores, about } = await scoresOfStores(dir, options.epoch);
  return { scores, about, path: await writeScores(dir, options.out, { ...scores, _about: about }) };
}

/**
 * The same, and writes nothing.
 * @param epoch default the last that there is
 * @param most values of targets: of more it says that they are too many to score in passing
 * @throws AtmorepError as {@link scoreResults}
 */
export async function scoresOfStores(
  dir: string,
  wanted?: number,
  most = Number.POSITIVE_INFINITY,
): Promise<Omit<ScoredResults, "path">> {
  const { prefix, id, epoch } = findStores(dir, wanted);
  const open = async (kind: string) => {
    const path = join(dir, `${prefix}_${kind}.zarr`);
    return existsSync(path) ? openResults(path) : null;
  };
  const [target, pred, ens, source] = await Promise.all(["target", "pred", "ens", "source"].map(open));
  try {
    if (!target || !pred) {
      throw new AtmorepError("usage", "targets or predictions are missing", {
        where: join(dir, prefix),
        expected: "the stores ..._target.zarr and ..._pred.zarr",
      });
    }
    assertFew(target, most, dir);
    const { accumulator, spectra, samples } = await accumulate({ target, pred, ens, source }, regionsBeside(dir, id));
    const fields = [...new Set(accumulator.cells().map(({ field }) => field))];
    const units = Object.fromEntries(fields.map((field) => [field, displayUnit(field).unit]));
    const scores = scoreReport(accumulator, { units, normalized: false });
    spectra.addTo(scores);
    const about = {
      results: basename(prefix),
      epoch,
      samples,
      units,
      verdict: verdict(accumulator, { units }).sentence,
    };
    return { scores, about };
  } finally {
    for (const store of [target, pred, ens, source]) await store?.close();
  }
}

function assertFew({ arrays, path }: ResultStore, most: number, dir: string): void {
  const data = [...arrays].filter(([name]) => name.endsWith("/data"));
  const values = data.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0);
  if (values <= most) return;
  throw new AtmorepError("usage", "the stores hold too many values to score them in passing", {
    where: path,
    found: values,
    expected: `at most ${most}`,
    fix: `npx atmorep evaluate --results ${dir}`,
  });
}

function findStores(dir: string, epoch: number | undefined): ResultName {
  const names = existsSync(dir) ? readdirSync(dir) : [];
  const found = resultNames(names, "target");
  const wanted = epoch === undefined ? found : found.filter((entry) => entry.epoch === epoch);
  if (wanted.length > 0) return wanted.reduce((a, b) => (b.epoch > a.epoch ? b : a));
  throw new AtmorepError("usage", "there are no result stores here", {
    where: dir,
    found: found.length ? `epochs ${found.map((entry) => entry.epoch).join(", ")}` : `${names.length} files`,
    expected: `results_id<ID>_epoch${epoch ?? "<n>"}_target.zarr and its companions`,
    fix: "Name the folder results/id<ID> of a run with --results.",
  });
}

/** The regions that the configuration beside the stores asks for; without one all that have names. */
function regionsBeside(dir: string, id: string): Region[] {
  const path = configPath(dir, id);
  if (existsSync(path)) {
    const { config, origins } = resolveConfig({ file: path });
    if (origins.score_regions === "file") return regionsOf(config);
  }
  return Object.values(REGIONS);
}

interface Accumulated {
  accumulator: ScoreAccumulator;
  spectra: Spectra;
  samples: number;
}

async function accumulate(stores: ResultStores, regions: Region[]): Promise<Accumulated> {
  let accumulator: ScoreAccumulator | null = null;
  let spectra: Spectra | null = null;
  const samples = new Set<string>();
  for (const path of stores.target.arrays.keys()) {
    // of a level at which nothing was hidden there is nothing to score
    if (!path.endsWith("/data") || stores.target.arrays.get(path)?.shape.includes(0)) continue;
    const sample = await readSample(stores, path.slice(0, -"/data".length));
    accumulator ??= accumulatorFor(sample, regions);
    spectra ??= new Spectra(spectrumRefusal(sample));
    addSample(accumulator, sample);
    addSpectra(spectra, sample);
    samples.add(path.split("/")[1]);
  }
  if (accumulator && spectra) return { accumulator, spectra, samples: samples.size };
  throw new AtmorepError("input", "the stores hold no samples", { where: stores.target.path });
}

function spectrumRefusal({ grid }: StoredSample): string | null {
  if (!grid) return NOT_WHOLE;
  return isPeriodic(grid.longitudes) ? null : NOT_PERIODIC;
}

function addSpectra(spectra: Spectra, { field, grid, predictions, target }: StoredSample): void {
  if (!grid) return;
  const { levels, steps, latitudes, longitudes } = grid;
  const { scale } = displayUnit(field);
  const plane = latitudes.length * longitudes.length;
  for (const [l, level] of levels.entries()) {
    for (let step = 0; step < steps; step++) {
      const at = (l * steps + step) * plane;
      const part = (values: ArrayLike<number>) =>
        Float32Array.from({ length: plane }, (_, i) => values[at + i] * scale);
      const [model, truth] = [part(predictions.model), part(target)];
      spectra.add({ field, level, lead: step + 1, model, target: truth, latitudes, longitudes });
    }
  }
}

function accumulatorFor({ predictions, members, target }: StoredSample, regions: Region[]): ScoreAccumulator {
  const predictors = Object.keys(predictions);
  const E = members ? members.length / target.length : 0;
  return scoreAccumulator({
    predictors,
    levels: {},
    grid: { lats: [], lons: [] },
    regions,
    quantities: [
      ...(E > 0 ? [ensembleQuantity(E)] : []),
      anomalyQuantity(predictors, "result stores hold no climatology"),
    ],
  });
}

function addSample(accumulator: ScoreAccumulator, sample: StoredSample): void {
  const { scale } = displayUnit(sample.field);
  accumulator.addPoints(sample, (visit) => {
    sample.points((point) => {
      // missing values stand as NaN in targets
      if (Number.isFinite(sample.target[point.at])) visit({ ...point, kind: "chosen", std: scale });
    });
  });
}

async function writeScores(dir: string, out: string | undefined, scores: unknown): Promise<string | null> {
  const path = join(out ?? dir, "scores.json");
  if (out === undefined && existsSync(path)) return null;
  try {
    await writeFileAtomic(path, `${JSON.stringify(scores, null, 1)}\n`);
    return path;
  } catch (error) {
    // a folder that cannot be written to is no obstacle to printing
    if (out === undefined) return null;
    throw error;
  }
}
