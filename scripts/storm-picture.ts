/**
 * Draws docs/images/storm.svg, the picture of docs/guides/first-run.md, from the shipped sample.
 *
 *   node scripts/run.mjs scripts/storm-picture.ts
 *
 * Run it from the checkout's root, as scripts/ridge-baseline.ts.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { openStore } from "../src/data/index.js";
import { svgFigure } from "../src/notebook/figure/svg.js";
import { storeGrid } from "../src/notebook/grids.js";
import { multiplesFigure } from "../src/notebook/views/maps.js";

const store = await openStore("assets/storm_199601.zarr");
const times = ["1996-01-07T00:00", "1996-01-08T00:00", "1996-01-09T00:00"];
const grids = [];
for (const time of times) grids.push(await storeGrid(store, "mean_sea_level_pressure", 0, time));
await store.close();
mkdirSync("docs/images", { recursive: true });
writeFileSync("docs/images/storm.svg", await svgFigure(multiplesFigure("The storm of January 1996", grids)));
