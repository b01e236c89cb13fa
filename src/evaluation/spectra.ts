/** Zonal power spectra of forecasts and targets, averaged over fields of the same level and lead as they come. */
import { isPeriodic, latitudeWeights, type ScoreReport, zonalPowerSpectrum } from "../scores/index.js";

export interface SpectrumInput {
  field: string;
  level: number;
  /** time steps */
  lead: number;
  /** [H, W] in physical units */
  model: Float32Array;
  target: Float32Array;
  /** degrees [H], [W] */
  latitudes: ArrayLike<number>;
  longitudes: ArrayLike<number>;
}

interface Sums {
  count: number;
  model: Float64Array;
  target: Float64Array;
}

export const NOT_PERIODIC = "the window is not periodic in longitude, so its waves have no zonal wavenumber";
export const NOT_WHOLE = "the hidden tokens do not fill circles of latitude";

export class Spectra {
  private readonly sums = new Map<string, Sums & Pick<SpectrumInput, "field" | "level" | "lead">>();

  /** @param refused why no spectrum can come, or null */
  constructor(private readonly refused: string | null) {}

  add({ field, level, lead, model, target, latitudes, longitudes }: SpectrumInput): void {
    if (this.refused !== null || !isPeriodic(longitudes)) return;
    const weights = latitudeWeights(latitudes);
    const key = JSON.stringify([field, level, lead]);
    const powers = [model, target].map((values) => zonalPowerSpectrum(values, longitudes, weights));
    const [a, b] = powers.map((spectrum) => ("power" in spectrum ? spectrum.power : new Float64Array(0)));
    const former = this.sums.get(key) ?? {
      field,
      level,
      lead,
      count: 0,
      model: new Float64Array(a.length),
      target: new Float64Array(b.length),
    };
    for (let k = 0; k < a.length; k++) {
      former.model[k] += a[k];
      former.target[k] += b[k];
    }
    this.sums.set(key, { ...former, count: former.count + 1 });
  }

  /** Writes `zonal_spectrum` beside the scores of the whole globe, or why there is none. */
  addTo(report: ScoreReport): void {
    for (const levels of Object.values(report)) {
      for (const leads of Object.values(levels)) {
        for (const regions of Object.values(leads)) {
          if (regions.global) regions.global.zonal_spectrum = { refused: this.refused ?? NOT_WHOLE };
        }
      }
    }
    for (const field of Object.keys(report)) {
      for (const level of Object.keys(report[field])) {
        for (const lead of Object.keys(report[field][level])) {
          const leaf = report[field][level][lead].global;
          const mean = leaf && this.meanOver(field, level, lead);
          if (mean) leaf.zonal_spectrum = mean;
        }
      }
    }
  }

  /** Mean power over the fields of a level and lead, or of all of them; null where there is none. */
  private meanOver(field: string, level: string, lead: string): { model: number[]; target: number[] } | null {
    const own = [...this.sums.values()].filter(
      (sums) =>
        sums.field === field &&
        (level === "all" || String(sums.level) === level) &&
        (lead === "all" || String(sums.lead) === lead),
    );
    const count = own.reduce((sum, entry) => sum + entry.count, 0);
    if (count === 0) return null;
    const mean = (of: (entry: Sums) => Float64Array) =>
      Array.from(of(own[0]), (_, k) => own.reduce((sum, entry) => sum + of(entry)[k], 0) / count);
    return { model: mean(({ model }) => model), target: mean(({ target }) => target) };
  }
}
