/** The first byte chooses: metrics, what made a run, what it has read, its end mark, a mapping file. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMapping } from "../../../dist/data/foreign/mapping.js";
import { verifyWeights } from "../../../dist/runs/digests.js";
import { readEndMark } from "../../../dist/runs/endMark.js";
import { readMetrics } from "../../../dist/runs/metrics.js";
import { madeOfDir, readProvenance, readReads } from "../../../dist/runs/provenance.js";
import { validationLoss } from "../../../dist/runs/series.js";
import { reader, scratch } from "../support.mjs";

const dir = join(scratch(), "run");
mkdirSync(dir, { recursive: true });
const write = (name, data) => {
  writeFileSync(join(dir, name), data);
  return join(dir, name);
};
const folder = { modelsDir: dir, resultsDir: dir };
mkdirSync(madeOfDir(folder), { recursive: true });
const writeMade = (name, data) => {
  writeFileSync(join(madeOfDir(folder), name), data);
  return true;
};
const READERS = [
  async (data) => (await readMetrics(write("metrics.jsonl", data))).map(validationLoss),
  (data) => writeMade("provenance.json", data) && readProvenance(folder),
  (data) => writeMade("reads.json", data) && readReads(folder),
  (data) => write("end.json", data) && readEndMark(folder),
  (data) => readMapping(write("mapping.json", data)),
  (data) => write("digests.json", data) && verifyWeights(write("w.mod", "x")),
];
const seed = (n, text) => Buffer.from(String.fromCharCode(n) + text);
export const seeds = () => [
  seed(
    0,
    '{"epoch":0,"step":1,"samples":4,"time":"2026-01-01T00:00:00.000Z","training loss":1.5}\n{"epoch":0,"step":1,"samples":4,"time":"x","val. loss BERT":1}\n',
  ),
  seed(
    1,
    '{"format":1,"sessions":[{"version":"1","engine":"wasm","began":"x","step":0,"data":{"location":"a"},"parent":null,"startedFrom":[],"environment":{},"options":{},"processes":1}]}',
  ),
  seed(2, '{"format":1,"digest":"e3b0","places":{"a":{"/b":"absent"}}}'),
  seed(3, '{"reason":"completed","epoch":2,"step":12}'),
  seed(
    4,
    '{"source":"a.zarr","fields":{"temperature":{"500":"t500"}},"surface":{"t2m":"t2m"},"levels":[500],"units":{"t2m":"K"},"combine":"first"}',
  ),
  seed(
    5,
    '{"format":1,"files":{"w.mod":{"bytes":1,"sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}}',
  ),
];
export const dictionary = ["null", "[]", "{}", '"__proto__":', "1e999", "-1", '""', "\n", '"val. loss BERT":'];
export const fuzz = reader((data) => READERS[(data[0] ?? 0) % READERS.length](data.subarray(1)));
