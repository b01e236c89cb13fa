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
  const lines = entries.map(({ name, grid }, k): Line => {
    const weights = latitudeWeights(grid.lats);
    const spectrum = zonalPowerSpectrum(grid.values, grid.lons, weights);
    if ("refused" in spectrum) {
      throw new AtmorepError("usage", spectrum.refused, {
        where: name,
        expected: "longitudes that go around the globe",
      });
    }
    const power = Array.from(spectrum.power).slice(1);
    return {
      kind: "line",
      name,
      color: categoryColor(k),
      x: power.map((_, i) => i + 1),
      y: power.map((p) => (p > 0 ? p : null)),
    };
  });
  const [low, high] = rangeOf(...lines.map(({ y }) => y.filter((v) => v !== null)));
  const { grid } = entries[0];
  return {
    title: `Zonal power: ${mapTitle(grid)}`,
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
          unit: grid.unit ? `${grid.unit} squared` : "",
          type: "log",
          range: [low * 0.7, high * 1.4],
        },
        marks: lines,
      },
    ],
  };
}
