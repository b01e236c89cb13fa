/** Cubes around one place. */
import type { RunConfig } from "../config/types.js";
import { admissibleTimes } from "../data/sampling.js";
import type { Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { centreRanges, roundToGrid } from "../data/window.js";
import { AtmorepError } from "../errors.js";
import { defaultRng } from "../random/index.js";
import { type DrawInput, rolledOut } from "./draws.js";

/** A few times of each month at one place, from `default_rng([rng_seed, 2])`, in time order. */
export function fixedLocationDraws({ config, store, options, split: asked, rollout }: DrawInput): Draw[] {
  const { years, months, num_samples_per_month: most } = options;
  const period = years ? { ...config, years_val: years, dates_val: null } : config;
  const split = years ? "validate" : asked;
  const times = rolledOut(admissibleTimes({ ...period, month: months ?? config.month }, store, split), rollout);
  const place = nearestPlace(config, store, options.position);
  const byMonth = new Map<number, number[]>();
  for (const time of times) {
    const month = store.calendar.month[time - config.time_sampling];
    byMonth.set(month, [...(byMonth.get(month) ?? []), time]);
  }
  const rng = defaultRng([config.rng_seed ?? 0, 2]);
  return [...byMonth.values()].flatMap((own) =>
    Array.from(rng.permutation(own))
      .slice(0, most)
      .sort((a, b) => a - b)
      .map((timeIndex) => ({ timeIndex, places: [place] })),
  );
}

/** @throws AtmorepError `config` if no window around the position lies in the store */
function nearestPlace(config: RunConfig, store: Store, [latitude, longitude]: [number, number]): [number, number] {
  const everywhere = {
    ...config,
    geo_range_sampling: [
      [-90, 90],
      [0, 360],
    ] as RunConfig["geo_range_sampling"],
  };
  const [lat, lon] = centreRanges(store, everywhere);
  const turns = store.isGlobal ? [((longitude % 360) + 360) % 360] : [longitude - 360, longitude, longitude + 360];
  const wanted = 90 - latitude;
  const candidates = turns.map((turn): [number, number] => [roundToGrid(wanted, lat), roundToGrid(turn, lon)]);
  const fits = candidates.findIndex(
    (place, i) => Math.abs(place[0] - wanted) <= store.res[0] && Math.abs(place[1] - turns[i]) <= store.res[1],
  );
  if (fits >= 0) return candidates[fits];
  throw new AtmorepError("config", "no window around this position lies in the store", {
    where: "position",
    found: [latitude, longitude],
    expected: `latitudes ${(90 - lat.high).toFixed(2)} to ${(90 - lat.low).toFixed(2)}${store.isGlobal ? "" : `, longitudes ${lon.low.toFixed(2)} to ${lon.high.toFixed(2)}`} (windows of ${config.n_size[1]} x ${config.n_size[2]} degrees)`,
    fix: "--set position=[latitude,longitude]",
  });
}
