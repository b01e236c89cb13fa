/**
 * Reading chunks beside Python, in turn: noisy float32 (5.2 MB a chunk), decoded MB (1e6 bytes) per second of processor
 * time, medians over the rounds. Ours go to the cache of training, made too small to keep them. Needs a build, and PYTHON, a
 * Python with zarr 3.
 *   PYTHON=python3 node bench/read-beside-python.mjs [ROUNDS] [--json]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FORMS = ["blosc-lz4", "blosc-zstd", "zstd"];
const CHUNKS = 8;
const LENGTH = 721 * 360 * 5;
const MB = (LENGTH * 4) / 1e6;

const MAKE = `
import sys, numpy as np, zarr
from zarr.codecs import BloscCodec, ZstdCodec
codecs = {"blosc-lz4": BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4),
          "blosc-zstd": BloscCodec(cname="zstd", clevel=5, shuffle="shuffle", typesize=4), "zstd": ZstdCodec(level=3)}
rng = np.random.default_rng(0)
v = rng.normal(280, 5, (${CHUNKS} * 5, 721, 360)).astype("f4")
for name, codec in codecs.items():
    group = zarr.open_group(f"{sys.argv[1]}/{name}", mode="w", zarr_format=3)
    group.create_array("a", shape=v.shape, chunks=(5, 721, 360), dtype="f4", compressors=[codec])[:] = v
`;

/** zarr, and numcodecs alone on the same bytes. */
const READ = `
import sys, time, json, zarr, numcodecs
numcodecs.blosc.use_threads = False
numcodecs.blosc.set_nthreads(1)
zarr.config.set({"threading.max_workers": 1, "async.concurrency": 1})
folder, name = sys.argv[1:]
a = zarr.open_group(f"{folder}/{name}", mode="r")["a"]
def timed(f):
    for i in range(2): f(i)
    start = time.process_time()
    for i in range(${CHUNKS}): f(i)
    return ${CHUNKS} * ${MB} / (time.process_time() - start)
files = [open(f"{folder}/{name}/a/c/{i}/0/0", "rb").read() for i in range(${CHUNKS})]
codec = numcodecs.Zstd() if name == "zstd" else numcodecs.Blosc()
print(json.dumps({"zarr": timed(lambda i: a[5 * i : 5 * i + 5]), "numcodecs": timed(lambda i: codec.decode(files[i]))}))
`;

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Ours, in a process of its own: `node read-beside-python.mjs --read FOLDER NAME`. */
async function read(folder, name) {
  const { openSource } = await import("../dist/data/source/index.js");
  const { openMetadata } = await import("../dist/data/zarr/metadata.js");
  const { openArray } = await import("../dist/data/zarr/array.js");
  const { SharedChunks } = await import("../dist/data/cache/sharedChunks.js");
  const cache = new SharedChunks(2 * 4 * LENGTH, ["a"]);
  const metadata = await openMetadata(await openSource(join(folder, name)), name);
  const array = await openArray(metadata, await metadata.array("a"), name, cache);
  const chunk = async (i) => (await array.chunk([i % CHUNKS, 0, 0])).release();
  for (let i = 0; i < 2 * CHUNKS; i++) await chunk(i);
  const before = process.cpuUsage();
  for (let i = 0; i < CHUNKS; i++) await chunk(i);
  if (cache.hits > 0) throw new Error("a chunk was kept");
  const { user, system } = process.cpuUsage(before);
  console.log((CHUNKS * MB * 1e6) / (user + system));
}

function compare(rounds) {
  const python = process.env.PYTHON ?? "python3";
  const folder = mkdtempSync(join(tmpdir(), "atmorep-read-"));
  const ours = (name, env) =>
    Number(
      execFileSync(process.execPath, [process.argv[1], "--read", folder, name], { env: { ...process.env, ...env } }),
    );
  try {
    execFileSync(python, ["-W", "ignore", "-c", MAKE, folder]);
    for (const name of FORMS) {
      const columns = { "libblosc2 or own": [], "without a library": [], "Python zarr": [], "Python numcodecs": [] };
      for (let round = 0; round < rounds; round++) {
        columns["libblosc2 or own"].push(ours(name, {}));
        columns["without a library"].push(ours(name, { ATMOREP_BLOSC: "none" }));
        const theirs = JSON.parse(
          execFileSync(python, ["-W", "ignore", "-c", READ, folder, name], { encoding: "utf8" }),
        );
        columns["Python zarr"].push(theirs.zarr);
        columns["Python numcodecs"].push(theirs.numcodecs);
      }
      if (process.argv.includes("--json")) {
        const medians = Object.entries(columns).map(([column, values]) => [column, median(values)]);
        console.log(JSON.stringify({ name, ...Object.fromEntries(medians) }));
        continue;
      }
      const texts = Object.entries(columns).map(([column, values]) => `${column} ${median(values).toFixed(0)}`);
      console.log(`${name}: ${texts.join(", ")} MB/s`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === "--read") await read(process.argv[3], process.argv[4]);
else compare(Number(process.argv[2] ?? 5));
