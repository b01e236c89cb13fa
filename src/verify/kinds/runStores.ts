/** A run's result stores: ours, written from what the original's validation saw and predicted, against its own. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseFields, predictedFields } from "../../config/fields.js";
import type { Field, RunConfig } from "../../config/types.js";
import { openStore, type Window } from "../../data/index.js";
import { withScratch } from "../../formats/atomic.js";
import { toFloat32, toNumbers } from "../../formats/safetensors.js";
import type { MaskedField } from "../../masking/types.js";
import { openResultsWriter } from "../../results/openWriters.js";
import { RESULT_KINDS, resultPath } from "../../results/paths.js";
import { openResults, type ResultData, type ResultStore } from "../../results/readResults.js";
import type { ResultBatch } from "../../results/writeResults.js";
import { compare, compareJson, TOLERANCES } from "../compare.js";
import type { Comparison, GoldenCase } from "../types.js";

/** Both denormalise in float32. */
const VALUES = { atol: 0, rtol: 1e-5 };

export async function compareStores(golden: GoldenCase): Promise<Comparison[]> {
  const config = golden.config as RunConfig;
  const runId = String(golden.values.run_id ?? config.wandb_id);
  const theirs = join(golden.dir, "results", `id${runId}`);
  if (!existsSync(theirs)) return [];
  const epochs = (await readdir(theirs)).flatMap((name) => /_epoch(\d+)_target\.zarr$/.exec(name)?.[1] ?? []);
  if (epochs.length === 0) return [];
  // `val.K` is what the last epoch's validation saw.
  const epoch = Math.max(...epochs.map(Number));
  return withScratch("verify", async (ours) => {
    await writeOurs(golden, config, { dir: ours, runId, epoch });
    const comparisons = compareInputs(golden);
    for (const kind of RESULT_KINDS) {
      const expected = await openResults(resultPath(theirs, runId, epoch, kind));
      const actual = await openResults(resultPath(ours, runId, epoch, kind));
      try {
        comparisons.push(...(await compareStore(kind, config, actual, expected)));
      } finally {
        await expected.close();
        await actual.close();
      }
    }
    return comparisons;
  });
}

/** What the writer does not use of `val.K`: the counts fit the indices, mean and spread the members. */
function compareInputs(golden: GoldenCase): Comparison[] {
  const comparisons: Comparison[] = [];
  for (const [name, tensor] of golden.tensors) {
    const count = /^(val\.\d+\.)count(\.\d+\.\d+)$/.exec(name);
    const idx = count && golden.tensors.get(`${count[1]}idx${count[2]}`);
    if (idx) {
      const f = Number(count[2].split(".")[1]);
      const { N } = parseFields(golden.config as RunConfig)[f];
      const own = new Array<number>(toNumbers(tensor).length).fill(0);
      for (const index of toNumbers(idx)) own[Math.floor(index / N)] += 1;
      comparisons.push(compare(name, own, toNumbers(tensor), TOLERANCES.exact));
    }
    const moment = /^(val\.\d+\.pred\.\d+\.)(mean|std)$/.exec(name);
    const ens = moment && golden.tensors.get(`${moment[1]}ens`);
    if (ens) {
      const own = moments(toFloat32(ens), ens.shape as [number, number, number])[moment[2] as "mean" | "std"];
      comparisons.push(compare(name, own, toFloat32(tensor), TOLERANCES.network));
    }
  }
  return comparisons;
}

/** Mean and unbiased standard deviation over the members of [M, E, D]; 0 for one member. */
function moments(ens: Float32Array, [M, E, D]: [number, number, number]): { mean: Float64Array; std: Float64Array } {
  const mean = new Float64Array(M * D);
  const std = new Float64Array(M * D);
  for (let m = 0; m < M; m++) {
    for (let d = 0; d < D; d++) {
      let sum = 0;
      for (let e = 0; e < E; e++) sum += ens[(m * E + e) * D + d];
      const centre = sum / E;
      let squares = 0;
      for (let e = 0; e < E; e++) {
        const difference = ens[(m * E + e) * D + d] - centre;
        squares += difference * difference;
      }
      mean[m * D + d] = centre;
      std[m * D + d] = E > 1 ? Math.sqrt(squares / (E - 1)) : 0;
    }
  }
  return { mean, std };
}

/** Writes the result stores of a case's validation. */
export async function writeOurs(
  golden: GoldenCase,
  config: RunConfig,
  place: { dir: string; runId: string; epoch: number },
): Promise<void> {
  const store = await openStore(golden.storePath);
  try {
    const fields = parseFields(config);
    const predicted = predictedFields(config);
    const folder = { id: place.runId, resultsDir: place.dir };
    const writer = await openResultsWriter({ config, fields, predicted, store }, { folder, epoch: place.epoch });
    for (let k = 0; golden.tensors.has(`val.${k}.source.0`); k++) await writer.append(readBatch(golden, k, fields));
    await writer.close();
  } finally {
    await store.close();
  }
}

function readBatch(golden: GoldenCase, k: number, fields: Field[]): ResultBatch {
  const numbers = (name: string) => {
    const tensor = golden.tensors.get(`val.${k}.${name}`);
    return tensor ? toNumbers(tensor) : [];
  };
  const values = (name: string) => {
    const tensor = golden.tensors.get(`val.${k}.${name}`);
    return tensor ? toFloat32(tensor) : new Float32Array(0);
  };
  const windows: Window[] = [];
  for (let b = 0; golden.tensors.has(`val.${k}.window.${b}.time`); b++) {
    const axis = (name: string) => Int32Array.from(numbers(`window.${b}.${name}`));
    windows.push({ time: axis("time"), lat: axis("lat"), lon: axis("lon") });
  }
  const masked = fields.map(({ name, L, N, D }, f): MaskedField => {
    const idx = Array.from({ length: L }, (_, l) => Int32Array.from(numbers(`idx.${f}.${l}`)));
    return {
      name,
      L,
      B: windows.length,
      N,
      D,
      source: values(`source.${f}`),
      infos: new Float32Array(0),
      target: values(`target.${f}`),
      valid: null,
      idx,
      count: idx.map((_, l) => Int32Array.from(numbers(`count.${f}.${l}`))),
      kind: idx.map(({ length }) => new Uint8Array(length)),
    };
  });
  const predictions: ResultBatch["predictions"][number][] = [];
  for (let p = 0; golden.tensors.has(`val.${k}.pred.${p}.mean`); p++) {
    predictions.push({ mean: values(`pred.${p}.mean`), ens: values(`pred.${p}.ens`) });
  }
  return { windows, fields: masked, predictions };
}

async function compareStore(
  kind: string,
  config: RunConfig,
  actual: ResultStore,
  expected: ResultStore,
): Promise<Comparison[]> {
  const comparisons = [compareJson(`${kind}: groups`, actual.groups.toSorted(), expected.groups.toSorted())];
  const describe = ({ arrays }: ResultStore) =>
    [...arrays].map(([path, { shape, dtype }]) => [path, withoutMl(path, shape, config), dtype]).sort(byPath);
  comparisons.push(compareJson(`${kind}: arrays`, describe(actual), describe(expected)));
  for (const path of expected.arrays.keys()) {
    if (!actual.arrays.has(path)) continue;
    const [ours, theirs] = [await actual.read(path), await expected.read(path)];
    comparisons.push(...compareArray(`${kind}: ${path}`, path, config, actual, ours, theirs));
  }
  return comparisons;
}

const byPath = (a: unknown[], b: unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);

/** The original gives later fields the first one's levels (departure): the length of `ml` is compared for the first only. */
function withoutMl(path: string, shape: number[], config: RunConfig): number[] | string {
  return path.endsWith("/ml") && !isFirstField(path, config) ? "own levels" : shape;
}

const isFirstField = (path: string, config: RunConfig) => path.startsWith(`${config.fields[0][0]}/`);

function compareArray(
  label: string,
  path: string,
  config: RunConfig,
  store: ResultStore,
  ours: ResultData,
  theirs: ResultData,
): Comparison[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const field = parseFields(config).find((candidate) => path.startsWith(`${candidate.name}/`))!;
  if (name === "ml") {
    const level = /\/ml=(\d+)\//.exec(path)?.[1];
    const levels = level === undefined ? field.levels : [Number(level)];
    const own = compareJson(label, Array.from(ours as BigInt64Array, Number), levels);
    return isFirstField(path, config) ? [own, compareIntegers(label, ours, theirs)] : [own];
  }
  if (name === "datetime") return [compareIntegers(label, ours, theirs)];
  if (name === "lon") {
    // The original sorts the longitudes of a window that crosses the date line (departure).
    const width = store.arrays.get(path)!.shape.at(-1) ?? 1;
    return [compare(label, sortRows(ours, width), sortRows(theirs, width), TOLERANCES.exact)];
  }
  if (name === "lat") return [compare(label, numbersOf(ours), numbersOf(theirs), TOLERANCES.exact)];
  // The original denormalises a local forecast with one place for all samples (departure).
  if (config.BERT_strategy === "forecast" && field.normalization === "local" && !label.startsWith("source")) return [];
  return [compare(label, numbersOf(ours), numbersOf(theirs), VALUES)];
}

const numbersOf = (data: ResultData): ArrayLike<number> =>
  data instanceof BigInt64Array || data instanceof BigUint64Array ? Array.from(data, Number) : data;

function compareIntegers(label: string, ours: ResultData, theirs: ResultData): Comparison {
  return compareJson(label, Array.from(ours, String), Array.from(theirs, String));
}

function sortRows(data: ResultData, width: number): Float64Array {
  const rows = Float64Array.from(numbersOf(data));
  for (let at = 0; at < rows.length; at += width) rows.subarray(at, at + width).sort();
  return rows;
}
