/** Golden cases `sampler_*`: windows, tokens and token infos of fed draws; and whole epochs of draws (`values.rng`). */
import type { RunConfig } from "../../config/types.js";
import { readCube } from "../../data/cube.js";
import { drawTimesAndPlaces, timesOfYears } from "../../data/sampling.js";
import { openStore, type Store } from "../../data/store.js";
import type { Draw } from "../../data/types.js";
import type { CentreRange } from "../../data/window.js";
import { AtmorepError } from "../../errors.js";
import { toNumbers } from "../../formats/safetensors.js";
import { defaultRng } from "../../random/index.js";
import { compare, compareJson, TOLERANCES } from "../compare.js";
import type { Comparison, GoldenCase, KindRunner } from "../types.js";

export const runner: KindRunner = async (golden) => {
  const store = await openStore(golden.storePath);
  try {
    return typeof golden.values.rng === "string" ? await verifyDraws(golden, store) : await verifyCube(golden, store);
  } finally {
    await store.close();
  }
};

function numbers(golden: GoldenCase, name: string): ArrayLike<number> {
  const tensor = golden.tensors.get(name);
  if (!tensor) throw new AtmorepError("input", "the golden case lacks a tensor", { where: golden.dir, found: name });
  return toNumbers(tensor);
}

async function verifyCube(golden: GoldenCase, store: Store): Promise<Comparison[]> {
  const config = golden.config as RunConfig;
  const places = numbers(golden, "in.places");
  const draw: Draw = {
    timeIndex: numbers(golden, "in.time_index")[0],
    places: Array.from({ length: places.length / 2 }, (_, b) => [places[2 * b], places[2 * b + 1]]),
  };
  const batch = await readCube(
    store,
    { ...config, missing_values: "error", token_infos_transformation: config.token_infos_transformation ?? null },
    draw,
  );
  const results: Comparison[] = [];
  for (const name of golden.tensors.keys()) {
    const [, what, index, axis] = name.split(".");
    if (!name.startsWith("out.")) continue;
    const expected = numbers(golden, name);
    const n = Number(index);
    const field = batch.fields[n];
    const window = batch.windows[n];
    if (what === "window" && window && (axis === "time" || axis === "lat" || axis === "lon")) {
      results.push(compare(name, window[axis], expected, TOLERANCES.exact));
    } else if (what === "tokens" && field) {
      results.push(compareJson(`${name} shape`, field.shape, golden.tensors.get(name)?.shape));
      results.push(compare(name, field.tokens, expected, TOLERANCES.tokens));
    } else if (what === "token_infos" && field) {
      results.push(compare(name, field.infos, expected, TOLERANCES.exact));
    } else {
      results.push({ tensor: name, ok: false, maxError: Infinity, ratio: Infinity, detail: "nothing to compare with" });
    }
  }
  return results;
}

/** The reference's rule: no filter of early times, the range as recorded, years joined by `_` in the tensors' names. */
async function verifyDraws(golden: GoldenCase, store: Store): Promise<Comparison[]> {
  const { values } = golden;
  const seedText = /default_rng\(([^)]*)\)/.exec(String(values.rng));
  if (!seedText) throw new AtmorepError("input", "values.rng names no seed", { where: golden.dir, found: values.rng });
  const batchSize = Number(values.B);
  const range = (key: string, res: number, periodic: boolean): CentreRange => {
    const [low, high] = values[key] as [number, number];
    return { low, high, clamp: null, res, origin: 0, periodic };
  };
  const results: Comparison[] = [];
  for (const name of golden.tensors.keys()) {
    if (!name.endsWith(".idxs_years")) continue;
    const label = name.slice(0, -".idxs_years".length);
    const times = timesOfYears(store, label.split("_").map(Number));
    results.push(compare(name, times, numbers(golden, name), TOLERANCES.exact));
    const numSamples = Math.min(Number(values.num_samples_asked), times.length);
    results.push(compareJson(`values.${label}.num_samples`, numSamples, values[`${label}.num_samples`]));
    const draws = drawTimesAndPlaces(defaultRng(JSON.parse(seedText[1])), {
      times,
      numSamples,
      batchSize,
      lat: range("range_lat", store.res[0], false),
      lon: range("range_lon", store.res[1], store.isGlobal),
    });
    results.push(compareJson(`values.${label}.len`, draws.length, values[`${label}.len`]));
    const drawnTimes = draws.map((draw) => draw.timeIndex);
    results.push(compare(`${label}.times`, drawnTimes, numbers(golden, `${label}.times`), TOLERANCES.exact));
    // The reference draws a place for every sample; those of an unfinished batch are never used.
    const drawnPlaces = draws.flatMap((draw) => draw.places.flat());
    const expected = Array.from(numbers(golden, `${label}.places`)).slice(0, drawnPlaces.length);
    results.push(compare(`${label}.places`, drawnPlaces, expected, TOLERANCES.exact));
  }
  return results;
}
