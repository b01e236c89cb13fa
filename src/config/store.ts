/** Faults of a configuration that only its data can show. */
import { isAtmorepError } from "../errors.js";
import type { Fault } from "./faults.js";
import { parseFields } from "./fields.js";
import { nearestName } from "./nearest.js";
import type { Field, RunConfig } from "./types.js";

/** What a configuration is checked against. */
export interface StoreSummary {
  fields: readonly string[];
  fieldsSfc: readonly string[];
  levels: readonly number[];
  /** degrees between grid rows, columns */
  res: readonly [lat: number, lon: number];
  numTimes: number;
  numLats: number;
  numLons: number;
  /** normalisation arrays, null where the store has none; not checked if left out */
  arrays?: Readonly<Record<"global_norm" | "global_norm_sfc" | "norm" | "norm_sfc", unknown>>;
}

/** What can be drawn from the store under the configuration; counted by the data room. */
export interface DrawCounts {
  trainTimes: number;
  valTimes: number;
  /** further times, left out because their cubes would cross a gap in the store's times */
  trainAcrossGaps?: number;
  valAcrossGaps?: number;
  /** where the configuration has a test */
  testTimes?: number;
  testAcrossGaps?: number;
  /** window centres on the grid */
  places: number;
}

/**
 * Every fault of a valid configuration against its store: fields, levels, normalisation, window, and, with
 * `counts`, epochs that would hold no batch.
 */
export function validateAgainstStore(config: RunConfig, store: StoreSummary, counts?: DrawCounts): Fault[] {
  const fields = parseFields(config);
  return [
    ...fields.flatMap((field) => fieldFaults(field, store)),
    ...windowFaults(config, fields[0], store),
    ...(counts ? drawFaults(config, counts) : []),
  ];
}

/** What checks that throw have to say, as faults: each AtmorepError is one. */
export function collectFaults(checks: readonly (() => unknown)[]): Fault[] {
  return checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (!isAtmorepError(error)) throw error;
      const { where = "file_path", found, expected = "a store that fits", fix = "" } = error.details;
      const start = `${where}: `;
      // the message holds the details too; what is wrong stands between the place and the first of them
      const what = (error.message.startsWith(start) ? error.message.slice(start.length) : error.message).split("; ")[0];
      return [{ code: "store-unfit", path: where, what, found, expected, fix }];
    }
  });
}

function fieldFaults(field: Field, store: StoreSummary): Fault[] {
  const surface = field.levels[0] === 0;
  const [known, others] = surface ? [store.fieldsSfc, store.fields] : [store.fields, store.fieldsSfc];
  const where = `fields[${field.index}]`;
  if (!known.includes(field.name)) {
    const nearest = nearestName(field.name, known);
    const elsewhere = surface ? "It has model levels: give those" : "It is a surface field: its levels are [0]";
    return [
      {
        code: "not-in-store",
        path: `${where}[0]`,
        what: `the store has no such ${surface ? "surface field" : "field on model levels"}`,
        found: field.name,
        expected: known.length ? `one of ${known.join(", ")}` : "a store that has any",
        fix: others.includes(field.name) ? elsewhere : nearest ? `Did you mean ${nearest}?` : "See data info STORE",
      },
    ];
  }
  const faults = normalizationFaults(field, surface, store);
  if (surface) return faults;
  const missing = field.levels.flatMap((level, i): Fault[] =>
    store.levels.includes(level)
      ? []
      : [
          {
            code: "not-in-store",
            path: `${where}[2][${i}]`,
            what: "the store has no such level",
            found: level,
            expected: `levels among ${store.levels.join(", ")}`,
            fix: "Choose one of these; data info STORE describes the store",
          },
        ],
  );
  return [...missing, ...faults];
}

function normalizationFaults(field: Field, surface: boolean, store: StoreSummary): Fault[] {
  const name = `${field.normalization === "global" ? "global_norm" : "norm"}${surface ? "_sfc" : ""}` as const;
  if (!store.arrays || store.arrays[name] !== null) return [];
  const local = field.normalization === "local";
  return [
    {
      code: "not-in-store",
      path: `fields[${field.index}]${local ? "[6]" : ""}`,
      what: `the store has no ${field.normalization} normalisation (normalization/${name})`,
      found: field.normalization,
      expected: "normalisation arrays in the store",
      fix: "Compute them with npx atmorep data normalize STORE",
    },
  ];
}

function windowFaults(config: RunConfig, first: Field, store: StoreSummary): Fault[] {
  const faults: Fault[] = [];
  const axes = [
    { axis: 1, name: "latitude", size: store.numLats },
    { axis: 2, name: "longitude", size: store.numLons },
  ] as const;
  for (const { axis, name, size } of axes) {
    const tokens = first.numTokens[axis];
    const points = tokens * first.tokenSize[axis];
    const step = store.res[axis - 1];
    const degrees = points * step;
    // configurations hold products such as 0.25*27, grids hold rounded steps
    if (Math.abs(degrees - config.n_size[axis]) > 0.01 * step) {
      faults.push({
        code: "window-off-grid",
        path: `n_size[${axis}]`,
        what: `${tokens} tokens of ${first.tokenSize[axis]} points at ${step} degrees make ${degrees} degrees of ${name}`,
        found: config.n_size[axis],
        expected: `${degrees}`,
        fix: `Set n_size[${axis}] to ${degrees}, or change the tokens in fields[${first.index}]`,
      });
    } else if (points > size) {
      faults.push({
        code: "window-exceeds-store",
        path: `n_size[${axis}]`,
        what: `the window is larger than the store in ${name}`,
        found: `${points} points`,
        expected: `at most ${size} points (${size * step} degrees)`,
        fix: "Use fewer or smaller tokens",
      });
    }
  }
  const span = config.n_size[0] * config.time_sampling;
  if (span > store.numTimes) {
    faults.push({
      code: "window-exceeds-store",
      path: "n_size[0]",
      what: "the cube is longer than the store",
      found: `${config.n_size[0]} steps, every ${config.time_sampling}`,
      expected: `at most ${store.numTimes} time steps`,
      fix: "Use fewer time steps or a smaller time_sampling",
    });
  }
  return faults;
}

function drawFaults(config: RunConfig, counts: DrawCounts): Fault[] {
  const faults: Fault[] = [];
  if (counts.places === 0) {
    faults.push({
      code: "nothing-to-draw",
      path: "geo_range_sampling",
      what: "no window has its centre in this range",
      found: config.geo_range_sampling,
      expected: "a range that holds a place half a window away from the store's edges",
      fix: "Widen it, or set it to [[-90.0, 90.0], [0.0, 360.0]]",
    });
  }
  const splits = [
    ["train", counts.trainTimes, config.num_samples_per_epoch, config.batch_size, "batch_size"],
    ["val", counts.valTimes, config.num_samples_validate, config.batch_size_validation, "batch_size_validation"],
    ["test", counts.testTimes, config.num_samples_validate, config.batch_size_validation, "batch_size_validation"],
  ] as const;
  for (const [split, times, asked, batch, batchKey] of splits) {
    if (times === undefined) continue;
    const across = counts[`${split}AcrossGaps`] ?? 0;
    const gaps = across > 0 ? `, ${across} more left out across gaps` : "";
    const key =
      split === "test" || config[`dates_${split}`] !== null ? (`dates_${split}` as const) : (`years_${split}` as const);
    const samples = Math.min(asked, times * config.samples_per_time);
    if (times === 0) {
      faults.push({
        code: "nothing-to-draw",
        path: key,
        what: `no whole cube of ${config.n_size[0]} steps lies in these times`,
        found: config[key],
        expected: `times of the store${config.month ? ", in the chosen months" : ""}`,
        fix: "Choose other times (data info STORE shows the store's), or a shorter cube",
      });
    } else if (samples < batch) {
      faults.push({
        code: "batch-exceeds-epoch",
        path: batchKey,
        what: `an epoch has ${samples} samples (${times} times${gaps}, samples_per_time ${config.samples_per_time}): no batch`,
        found: batch,
        expected: `at most ${samples}`,
        fix: `Lower ${batchKey} or raise samples_per_time`,
      });
    }
  }
  return faults;
}
