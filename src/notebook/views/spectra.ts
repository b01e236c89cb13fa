/** Power along latitude circles. */
import { AtmorepError } from "../../errors.js";
import { latitudeWeights, zonalPowerSpectrum } from "../../scores/index.js";
import { categoryColor } from "../figure/palette.js";
import type { Figure, Line } from "../figure/types.js";
import type { Grid } from "../grids.js";
import { mapTitle, rangeOf } from "./maps.js";

/**
 * Zonal power spectra of grids that go around the globe, such as target and prediction.
 * @throws AtmorepError (usage) for regional grids: their waves have no zonal wavenumber
 */
export function spectraFigure(entries: readonly { name: string; grid: Grid }[]): Figure {
  const powers = entries.map(({ name, grid }) => {
    const weights = latitudeWeights(grid.lats);
    const spectrum = zonalPowerSpectrum(grid.values, grid.lons, weights);
    if ("refused" in spectrum) {
      throw new AtmorepError("usage", spectrum.refused, {
        where: name,
        expected: "longitudes that go around the globe",
      });
    }
    return { name, power: Array.from(spectrum.power) };
  });
  const { grid } = entries[0];
  return powerFigure(`Zonal power: ${mapTitle(grid)}`, powers, grid.unit);
}

/**
 * Power over zonal wavenumber, both on logarithmic axes.
 * @param entries power[k] of wavenumber k; the mean (k = 0) is left out
 * @param unit of the values, not of their squares
 */
export function powerFigure(
  title: string,
  entries: readonly { name: string; power: readonly number[] }[],
  unit: string,
): Figure {
  const lines = entries.map(({ name, power: [, ...power] }, k): Line => {
    const y = power.map((p) => (p > 0 ? p : null));
    return { kind: "line", name, color: categoryColor(k), x: power.map((_, i) => i + 1), y };
  });
  const [low, high] = rangeOf(...lines.map(({ y }) => y.filter((v) => v !== null)));
  return {
    title,
    columns: 1,
    width: 560,
    panels: [
      {
        title: "",
        x: {
          label: "zonal wavenumber",
          unit: "",
          type: "log",
          range: [1, Math.max(2, ...lines.map(({ x }) => x.length))],
        },
        y: {
          label: "power",
          unit: unit ? `${unit} squared` : "",
          type: "log",
          range: [low * 0.7, high * 1.4],
        },
        marks: lines,
      },
    ],
  };
}
