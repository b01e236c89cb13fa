/** Writes the inputs of `corpus/` that no line of text gives: `node scripts/run.mjs test/fuzz/seeds.ts`, once. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { writeSafetensors } from "../../src/formats/safetensors.js";
import { bytesOf, type TensorSpec } from "../../src/formats/tensors.js";
import { writeTorch } from "../../src/formats/torch/writer.js";
import { ZipReader } from "../../src/formats/zip/reader.js";
import { wholeFiles } from "../reliability/damaged/files.js";

const corpus = (target: string, name: string, bytes: Uint8Array) => {
  const dir = join("test/fuzz/corpus", target);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, name), bytes);
};

const dir = mkdtempSync(join(tmpdir(), "atmorep-seeds-"));
try {
  const { cdf, records, nc, grib1, grib2 } = await wholeFiles(dir);
  corpus("netcdf3", "fixed", readFileSync(cdf));
  corpus("netcdf3", "records", readFileSync(records));
  corpus("netcdf4", "small", readFileSync(nc));
  corpus("grib", "edition1", readFileSync(grib1));
  corpus("grib", "edition2", readFileSync(grib2));
  const data = Float32Array.from([1, 2, 3, 4, 5, 6]);
  const tensors: TensorSpec[] = [
    { name: "a.weight", dtype: "F32", shape: [2, 3], read: () => bytesOf(data) },
    { name: "b", dtype: "F32", shape: [6], read: () => bytesOf(data), aliasOf: undefined },
  ];
  const versions = new Map([["a", 1]]);
  await writeTorch(join(dir, "a.mod"), tensors, { moduleVersions: versions });
  corpus("weights", "torch", readFileSync(join(dir, "a.mod")));
  const zip = await ZipReader.open(join(dir, "a.mod"));
  const pickle = [...zip.entries.values()].find(({ name }) => name.endsWith("data.pkl"));
  if (pickle) corpus("pickle", "dict", await zip.read(pickle));
  await zip.close();
  await writeSafetensors(join(dir, "a.safetensors"), tensors, { moduleVersions: versions });
  corpus("weights", "safetensors", readFileSync(join(dir, "a.safetensors")));
  const state = {
    format: 2,
    madeBy: {},
    step: 1,
    epoch: 0,
    batch: 1,
    samples: 4,
    metricsRows: 1,
    updates: 1,
    best: null,
    lastLoss: null,
    console: { printed: 0, batches: 0 },
  };
  const params = tensors.map((tensor) => ({ ...tensor, name: `param.${tensor.name}` }));
  await writeSafetensors(join(dir, "c.safetensors"), params, {
    metadata: { state: JSON.stringify(state) },
    digest: true,
  });
  corpus("weights", "checkpoint", readFileSync(join(dir, "c.safetensors")));
  corpus("zip", "torch", readFileSync(join(dir, "a.mod")));
  const wheel = {
    "pkg/lib.so": Buffer.from("code".repeat(40)),
    "pkg-1.dist-info/RECORD": Buffer.from("pkg/lib.so,sha256=fSZ0tPjhMzqv0zr8oGQS9A,160\n"),
  };
  corpus("zip", "wheel", zipSync(wheel));
  const zarray = {
    zarr_format: 2,
    shape: [2, 3],
    chunks: [2, 3],
    dtype: "<f4",
    order: "C",
    fill_value: null,
    filters: null,
    compressor: null,
  };
  const text = (value: unknown) => Buffer.from(JSON.stringify(value, null, 1));
  const store = {
    ".zgroup": text({ zarr_format: 2 }),
    "f/.zgroup": text({ zarr_format: 2 }),
    "f/data/.zarray": text(zarray),
    "f/data/0.0": Buffer.from(bytesOf(data)),
  };
  corpus("results", "stored", zipSync(store, { level: 0 }));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
