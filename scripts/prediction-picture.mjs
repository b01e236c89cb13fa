/**
 * Writes docs/images/prediction.svg, the README's picture of what one gets: the figure that `nb.prediction` drew when the
 * first tutorial was run last.
 */
import { readFileSync, writeFileSync } from "node:fs";

const { cells } = JSON.parse(readFileSync("notebooks/01-first-run.ipynb", "utf8"));
const cell = cells.find(({ source }) => [source].flat().join("").startsWith("await nb.prediction("));
const figure = cell?.outputs.map(({ data }) => data?.["image/svg+xml"]).find((svg) => svg !== undefined);
if (figure === undefined) throw new Error("notebooks/01-first-run.ipynb has no output of nb.prediction");
writeFileSync("docs/images/prediction.svg", [figure].flat().join(""));
