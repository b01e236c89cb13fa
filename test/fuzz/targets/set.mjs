import { parseConfig } from "../../../dist/config/text/files.js";
import { applyOverride, parseOverride } from "../../../dist/config/text/overrides.js";
import { bytesOfFile, reader } from "../support.mjs";

const { values } = parseConfig(bytesOfFile("configs/storm.json").toString(), "storm.json");

export const seeds = () =>
  ["fields[0][2]=[96,105]", "num_epochs=3", "losses[1]=crps", "dates_val[0][1]=1996-01-03", "fields[0][1][4]=[]"].map(
    (t) => Buffer.from(t),
  );
export const dictionary = [
  "[0]",
  "[-1]",
  "[4294967295]",
  "=",
  "__proto__",
  "constructor",
  '"',
  "null",
  "1e999",
  "[[[[",
];
export const fuzz = reader((data) => {
  applyOverride(values, parseOverride(data.toString("utf8")));
});
