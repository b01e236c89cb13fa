/** A global store of one wave, with poles and periodic longitudes, and runs on it that are small enough for a test. */
import { join } from "node:path";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import { tinyStore } from "../data/support.js";
import { TINY_NETWORK } from "../support/tinyRun.js";

export const ROWS = 19;
export const COLUMNS = 36;
/** zonal wavenumber of the wave */
export const WAVENUMBER = 3;
export const MEAN = 50;

/** Amplitude of the wave in row y: 0 at both poles. */
export const amplitude = (y: number): number => 10 * Math.sin((Math.PI * y) / (ROWS - 1));

/** Truth at time step t, level index l: a wave that moves 10 degrees a step. */
export const wave = (t: number, l: number, y: number, x: number): number =>
  MEAN * (l + 1) + amplitude(y) * Math.cos(WAVENUMBER * ((2 * Math.PI) / COLUMNS) * (x - t));

/** 60 six-hourly steps from 2022-01-01, rows from the North to the South pole every 10 degrees, levels 1 and 2. */
export function globeStore(dir: string): Promise<string> {
  return tinyStore(join(dir, "globe.zarr"), {
    steps: 60,
    rows: ROWS,
    columns: COLUMNS,
    res: [10, 10],
    lat0: 0,
    lon0: 0,
    isGlobal: 1,
    edit: (_, t, f, l, y, x) => wave(t, l, y, x) + 100 * f,
    norm: (_, statistic) => (statistic === 0 ? MEAN : 10),
  });
}

/** Windows of 6 steps, 6 rows and 12 columns; forecasts of the last 3 steps by 2 members. */
export function globeConfig(store: string, set: Record<string, unknown> = {}): RunConfig {
  return resolveConfig({
    preset: "storm",
    set: {
      file_path: store,
      fields: [["a", [1, 24, [], 0], [1, 2], [2, 2, 3], [3, 3, 4], [0.5, 0.9, 0.4, 0.3]]],
      fields_prediction: [["a", 1]],
      n_size: [6, 60, 120],
      idx_time_mask: null,
      years_train: [2022],
      years_val: [2022],
      dates_train: [["2022-01-01T00:00", "2022-01-09T18:00"]],
      dates_val: [["2022-01-10T00:00", "2022-01-15T18:00"]],
      BERT_strategy: "forecast",
      forecast_num_tokens: 1,
      batch_size: 2,
      batch_size_validation: 2,
      num_samples_per_epoch: 4,
      num_samples_validate: 4,
      num_epochs: 1,
      ...TINY_NETWORK,
      log_test_num_ranks: 0,
      score_regions: [
        "global",
        "tropics",
        "nh",
        "sh",
        [
          "seam",
          [
            [-40, 40],
            [330, 60],
          ],
        ],
      ],
      ...set,
    },
  }).config;
}
