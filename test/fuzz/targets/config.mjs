import { knownNames } from "../../../dist/checks/knownNames.js";
import { resolveConfig } from "../../../dist/config/resolve.js";
import { parseConfig } from "../../../dist/config/text/files.js";
import { validateConfig } from "../../../dist/config/validate.js";
import { bytesOfFile, reader } from "../support.mjs";

export const seeds = () => [bytesOfFile("configs/storm.json"), bytesOfFile("configs/multi.json")];
export const dictionary = [
  "null",
  "1e400",
  "-1",
  "NaN",
  "[]",
  "{}",
  '"fields":',
  '"$schema":',
  "\\u0000",
  "9007199254740993",
];
export const fuzz = reader((data) => {
  const { values } = parseConfig(data.toString("utf8"), "fuzz.json");
  validateConfig(resolveConfig({ base: values }).config, knownNames());
});
