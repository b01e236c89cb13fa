/**
 * Scores of a stream of batches, model and baselines side by side on the same points. What is kept are sums per field,
 * level, lead, region and kind of token, and per initial time: memory grows with those, not with samples.
 */
import type { CubeBatch } from "../data/types.js";
import { AtmorepError } from "../errors.js";
import type { MaskedBatch } from "../masking/types.js";
import { latitudeWeight } from "./latitude.js";
import { pairOf, targetTokens } from "./layout.js";
import type { PointBatch, PointPlace, Quantity } from "./quantity.js";
import { REGIONS, type Region } from "./regions.js";
import { SCORED_KINDS, type ScoredKind, scoredKind } from "./tokenKinds.js";
import { visibleField } from "./visible.js";

/** Where in the sums of one predictor each quantity stands; normalised errors are e, physical ones e * std. */
export const SUM = { squares: 0, absolute: 1, errors: 2, squaresNorm: 3, absoluteNorm: 4, errorsNorm: 5 } as const;
export const SUMS_PER_PREDICTOR = 6;
/** A row of sums starts with the sum of weights and the number of points, then come the predictors' sums, then those of quantities. */
export const HEAD = { weight: 0, points: 1, length: 2 } as const;

export interface CellKey {
  field: string;
  level: number;
  /** time steps since the last visible one at the same place; 0 where leads are not told apart */
  lead: number;
  region: string;
  kind: ScoredKind;
}

export interface Cell extends CellKey {
  /** initial time (`Draw.timeIndex`) -> [HEAD, predictors' sums...] */
  times: Map<number, Float64Array>;
}

export interface AccumulatorOptions {
  /** names of predictors, the model first; every batch must give exactly these */
  predictors: readonly string[];
  /** levels of each field, for names */
  levels: Readonly<Record<string, readonly number[]>>;
  /** the store's axes: degrees from the North pole, degrees East */
  grid: { lats: ArrayLike<number>; lons: ArrayLike<number> };
  /** weigh points by cos(latitude); default true */
  latitudeWeighted?: boolean;
  /** default: global only */
  regions?: readonly Region[];
  /** tell leads apart (forecast and interpolation); default true; without it all lie at lead 0 */
  byLead?: boolean;
  /** what is scored of the model beside its errors, such as `ensembleQuantity` */
  quantities?: readonly Quantity[];
  /** told of each point once, whatever regions it lies in */
  observer?: (batch: PointBatch) => (point: ScoredPoint, weight: number) => void;
}

/** Where each quantity's numbers begin in a row of sums, and the row's length. */
export function rowLayout({ predictors, quantities = [] }: Pick<AccumulatorOptions, "predictors" | "quantities">) {
  let width = HEAD.length + predictors.length * SUMS_PER_PREDICTOR;
  const offsets = quantities.map((quantity) => {
    const at = width;
    width += quantity.width;
    return at;
  });
  return { offsets, width };
}

export interface ScoreBatch {
  cube: CubeBatch;
  masked: MaskedBatch;
  field: string;
  /** name -> [M, D], normalised, aligned with the field's target */
  predictions: Readonly<Record<string, Float32Array>>;
  /** standard deviation in physical units: of each point [M, D] or of each level [L] */
  std: ArrayLike<number>;
  /** [M, E, D], normalised; needed by scores of ensembles */
  members?: Float32Array;
  /** [M, D], normalised local climatology; needed by the anomaly correlation */
  climatology?: ArrayLike<number>;
  /** opponents of probability; read by `dressedQuantity` */
  dressed?: PointBatch["dressed"];
  /** time steps that the cube's lead times start from: of a roll-out, those of the cubes before; default 0 */
  leadOffset?: number;
  /** the initial time that the batch belongs to; default that of the cube */
  initialTime?: number;
}

/** One point that counts. */
export interface ScoredPoint extends PointPlace {
  /** its place in [M, D] */
  at: number;
  /** index of its level */
  l: number;
  kind: ScoredKind;
  /** time steps */
  lead: number;
  /** physical units of one unit of the values */
  std: number;
}

export interface ScoreAccumulator {
  readonly options: AccumulatorOptions;
  /** Adds the points that `points` visits. */
  addPoints(batch: PointBatch, points: (visit: (point: ScoredPoint) => void) => void): void;
  /** @throws {AtmorepError} `failed` when a prediction is missing or of the wrong length */
  add(batch: ScoreBatch): void;
  cells(): Cell[];
  /** the largest span of the batches: samples at initial times closer than this share data */
  span(): number;
}

function checkPredictions(
  batch: Pick<PointBatch, "field" | "predictions">,
  names: readonly string[],
  length: number,
): ArrayLike<number>[] {
  return names.map((name) => {
    const values = batch.predictions[name];
    if (values?.length === length) return values;
    throw new AtmorepError("failed", "prediction is missing or of the wrong length", {
      where: `scores, field ${batch.field}, ${name}`,
      found: values ? values.length : Object.keys(batch.predictions),
      expected: `${length} values`,
      fix: "Give every predictor for every batch, [M, D] in the order of the targets.",
    });
  });
}

export function scoreAccumulator(options: AccumulatorOptions): ScoreAccumulator {
  const { predictors, levels, grid, latitudeWeighted = true, byLead = true, quantities = [] } = options;
  const regions = options.regions ?? [REGIONS.global];
  const { offsets, width } = rowLayout(options);
  const cells = new Map<string, Cell>();
  let longest = 0;

  const sumsOf = (key: CellKey, time: number): Float64Array => {
    const id = JSON.stringify([key.field, key.level, key.lead, key.region, key.kind]);
    let cell = cells.get(id);
    if (!cell) {
      cell = { ...key, times: new Map() };
      cells.set(id, cell);
    }
    let sums = cell.times.get(time);
    if (!sums) {
      sums = new Float64Array(width);
      cell.times.set(time, sums);
    }
    return sums;
  };

  const addPoints: ScoreAccumulator["addPoints"] = (batch, points) => {
    const { field, target, leads, span = 0 } = batch;
    longest = Math.max(longest, span);
    const predictions = checkPredictions(batch, predictors, target.length);
    const names = levels[field];
    const visitors = quantities.map((quantity) => quantity.visitor(batch));
    const observe = options.observer?.(batch);
    // Looking cells up by name for every point would take longer than the sums themselves.
    const found: Float64Array[] = [];
    points((point) => {
      const { at, l, kind, lead, latitude, longitude, std } = point;
      const weight = latitudeWeighted ? latitudeWeight(latitude) : 1;
      observe?.(point, weight);
      for (let r = 0; r < regions.length; r++) {
        if (!regions[r].contains(latitude, longitude)) continue;
        const code = ((l * SCORED_KINDS.length + SCORED_KINDS.indexOf(kind)) * leads + lead) * regions.length + r;
        const key = { field, level: names?.[l] ?? l, lead: byLead ? lead : 0, region: regions[r].name, kind };
        found[code] ??= sumsOf(key, batch.initialTime);
        const sums = found[code];
        sums[HEAD.weight] += weight;
        sums[HEAD.points] += 1;
        for (let p = 0; p < predictions.length; p++) {
          const error = predictions[p][at] - target[at];
          addError(sums, HEAD.length + p * SUMS_PER_PREDICTOR, error, std, weight);
        }
        for (let q = 0; q < visitors.length; q++) visitors[q](sums, offsets[q], at, std, weight, point);
      }
    });
  };

  const add = (batch: ScoreBatch): void => {
    const { cube, masked } = pairOf(batch.cube, batch.masked, batch.field);
    const { target } = masked;
    const perPoint = batch.std.length === target.length && target.length > 0;
    const view = visibleField(cube, masked);
    const { layout: g } = view;
    if (!perPoint && batch.std.length !== g.L) {
      throw new AtmorepError("failed", "standard deviations fit neither points nor levels", {
        where: `scores, field ${batch.field}, std`,
        found: batch.std.length,
        expected: `${target.length} or ${g.L} values`,
      });
    }
    const offset = batch.leadOffset ?? 0;
    const initialTime = batch.initialTime ?? batch.cube.draw.timeIndex;
    const { field, predictions, members, climatology, dressed } = batch;
    const leads = offset + g.steps + 1;
    const span = spanOf(batch.cube, initialTime);
    addPoints(
      { field, initialTime, target, D: g.D, predictions, members, climatology, dressed, leads, span },
      (visit) => {
        for (const { m, l, b, n, bits } of targetTokens(masked)) {
          const kind = scoredKind(bits);
          const window = batch.cube.windows[b];
          const y = Math.floor((n % g.places) / g.nx) * g.ty;
          const x = (n % g.nx) * g.tx;
          const first = offset + Math.floor(n / g.places) * g.tt;
          const since = first - lastVisibleStep(view.hidden, g, l, b, n);
          for (let i = 0; i < g.D; i++) {
            const at = m * g.D + i;
            if (masked.valid && !masked.valid[at]) continue;
            const point = i % g.points;
            visit({
              at,
              l,
              kind,
              lead: since + Math.floor(i / g.points),
              step: first + Math.floor(i / g.points),
              latitude: 90 - grid.lats[window.lat[y + Math.floor(point / g.tx)]],
              longitude: grid.lons[window.lon[x + (point % g.tx)]],
              std: perPoint ? batch.std[at] : batch.std[l],
            });
          }
        }
      },
    );
  };
  return { options, add, addPoints, cells: () => [...cells.values()], span: () => longest };
}

/** Time indices that a sample reaches over, the cubes before it in a roll-out included. */
function spanOf({ draw, windows }: CubeBatch, initialTime: number): number {
  if (windows.length === 0) return 0;
  const { time } = windows[0];
  return time[time.length - 1] - time[0] + 1 + draw.timeIndex - initialTime;
}

/** The last step of the last visible token before token n at its place; -1 if none is visible. */
function lastVisibleStep(
  hidden: Uint8Array,
  { B, N, places, tt }: { B: number; N: number; places: number; tt: number },
  l: number,
  b: number,
  n: number,
): number {
  let token = n;
  while (token >= 0 && hidden[(l * B + b) * N + token]) token -= places;
  return token < 0 ? -1 : (Math.floor(token / places) + 1) * tt - 1;
}

function addError(sums: Float64Array, at: number, error: number, std: number, weight: number): void {
  const physical = error * std;
  sums[at + SUM.squares] += weight * physical * physical;
  sums[at + SUM.absolute] += weight * Math.abs(physical);
  sums[at + SUM.errors] += weight * physical;
  sums[at + SUM.squaresNorm] += weight * error * error;
  sums[at + SUM.absoluteNorm] += weight * Math.abs(error);
  sums[at + SUM.errorsNorm] += weight * error;
}
