/**
 * Spectra of windows that do not go around the globe: of each sample and time step at which a field is hidden in the
 * whole window, forecast or filled in between, target beside prediction, averaged as they come.
 */
import type { Field } from "../config/types.js";
import type { Store } from "../data/store.js";
import type { Window } from "../data/types.js";
import { displayUnit } from "../data/units.js";
import type { MaskedField } from "../masking/types.js";
import { type NormalizationLookup, Physical } from "../results/physical.js";
import { type ScoreReport, windowPowerSpectrum } from "../scores/index.js";
import { targetTokens } from "../scores/layout.js";

export const NOT_FILLED = "the hidden tokens fill no window: a spectrum needs every place of a time step";

interface Sums {
  field: string;
  level: number;
  count: number;
  model: Float64Array;
  target: Float64Array;
  wavelength: Float64Array;
}

export class WindowSpectra {
  private readonly sums = new Map<string, Sums>();
  private refused: string | null = null;

  constructor(
    private readonly store: Store,
    private readonly lookup: NormalizationLookup,
  ) {}

  /**
   * @param masked the field's hidden tokens
   * @param mean [M, D] of the prediction, normalised
   */
  async add(field: Field, windows: readonly Window[], masked: MaskedField, mean: Float32Array): Promise<void> {
    const [, ny, nx] = field.numTokens;
    const [tt, ty, tx] = field.tokenSize;
    const [H, W] = [ny * ty, nx * tx];
    const tokens = new Map<string, { l: number; b: number; own: { m: number; n: number }[] }>();
    for (const { m, l, b, n } of targetTokens(masked)) {
      const key = `${l} ${b} ${Math.floor(n / (ny * nx))}`;
      const group = tokens.get(key) ?? { l, b, own: [] };
      group.own.push({ m, n });
      tokens.set(key, group);
    }
    const whole = [...tokens.values()].filter(({ own }) => own.length === ny * nx);
    if (whole.length === 0) return;
    const physical = await Physical.of(field, windows, this.store, this.lookup);
    const { scale } = displayUnit(field.name);
    const strides = [H * W, W, 1] as const;
    for (const { l, b, own } of whole) {
      const grids = [mean, masked.target].map((values) => {
        const grid = new Float32Array(tt * H * W);
        for (const { m, n } of own) {
          const [y, x] = [Math.floor((n % (ny * nx)) / nx) * ty, (n % nx) * tx];
          physical.copyToken(b, l, n, values, m * field.D, grid, y * W + x, strides);
          if (!masked.valid) continue;
          // filled values are no truth
          for (let i = 0; i < field.D; i++) {
            if (masked.valid[m * field.D + i]) continue;
            const point = i % (ty * tx);
            const at = Math.floor(i / (ty * tx)) * H * W + (y + Math.floor(point / tx)) * W + x + (point % tx);
            grid[at] = Number.NaN;
          }
        }
        return grid.map((value) => value * scale);
      });
      for (let t = 0; t < tt; t++) {
        const [model, target] = grids.map((grid) => grid.subarray(t * H * W, (t + 1) * H * W));
        this.addPair(field.name, field.levels[l], model, target, H, W);
      }
    }
  }

  private addPair(field: string, level: number, model: Float32Array, target: Float32Array, H: number, W: number): void {
    const [a, b] = [windowPowerSpectrum(model, H, W), windowPowerSpectrum(target, H, W)];
    if ("refused" in a || "refused" in b) {
      this.refused = "refused" in a ? a.refused : (b as { refused: string }).refused;
      return;
    }
    const key = JSON.stringify([field, level]);
    const empty = () => new Float64Array(a.power.length);
    const former = this.sums.get(key) ?? {
      ...{ field, level, count: 0, model: empty(), target: empty() },
      wavelength: a.wavelength,
    };
    former.count++;
    for (let k = 0; k < a.power.length; k++) {
      former.model[k] += a.power[k];
      former.target[k] += b.power[k];
    }
    this.sums.set(key, former);
  }

  /** Writes `window_spectrum` beside the scores of each level at all leads in the first region, or why there is none. */
  addTo(report: ScoreReport): void {
    for (const levels of Object.values(report)) {
      const own = Object.entries(levels).filter(([level]) => level !== "all" || Object.keys(levels).length === 1);
      for (const [, leads] of own) {
        const [leaf] = Object.values(leads.all ?? {});
        if (leaf) leaf.window_spectrum = { refused: this.refused ?? NOT_FILLED };
      }
    }
    for (const { field, level, count, model, target, wavelength } of this.sums.values()) {
      const [leaf] = Object.values(report[field]?.[level]?.all ?? {});
      const mean = (sums: Float64Array) => Array.from(sums, (sum) => sum / count);
      if (!leaf) continue;
      leaf.window_spectrum = { model: mean(model), target: mean(target), wavelength: [...wavelength], planes: count };
    }
  }
}
