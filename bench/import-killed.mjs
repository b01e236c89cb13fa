// A large import, in parts and killed: node bench/import-killed.mjs [GB] [MEMORY] [JOBS]   (1, 1GiB, 2)
// Makes monthly NetCDF-3 files of noise, imports them in one part, then in four (--part i/4), of which the second and the fourth
// are ended by SIGKILL once and called again, ends with data finalise, and compares every byte. Peak memory (VmHWM, Linux) of each
// process is looked at beside --memory. Exit 1 if a byte differs or a peak is above. Needs a build and three times GB on the disk of
// TMPDIR; prints one JSON line.
import { spawn } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [gigabytes = "1", memory = "1GiB", jobs = "2"] = process.argv.slice(2);
const LAUNCHER = fileURLToPath(new URL("../bin/atmorep.js", import.meta.url));
const GRID = [181, 360];
const LEVELS = [500, 700, 850, 925, 1000];
const POINTS = GRID[0] * GRID[1];
const MONTHS = 4;
const DAYS = 30;
const PLANES = 2 * LEVELS.length + 1;
const KILLED = [2, 4];

const dir = mkdtempSync(join(tmpdir(), "atmorep-large-"));
let running = null;
process.once("exit", () => {
  running?.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => process.exit(130));

/** Numbers that no compressor makes small, the same in every run. */
function noise(length) {
  const bytes = Buffer.alloc(4 * length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeFloatBE(250 + (40 * state) / 2 ** 32, 4 * i);
  }
  return bytes;
}

/** A header of NetCDF-3 with 64-bit offsets, and where the values of each variable begin. */
function header(steps, first, step) {
  const dims = [
    ["time", steps],
    ["level", LEVELS.length],
    ["lat", GRID[0]],
    ["lon", GRID[1]],
  ];
  const parts = [];
  const int = (n) => parts.push(Buffer.from([n >>> 24, n >>> 16, n >>> 8, n]));
  const text = (value) => {
    int(value.length);
    parts.push(Buffer.from(value.padEnd(Math.ceil(value.length / 4) * 4, "\0")));
  };
  const variables = [
    ["time", [0], "minutes since 2001-01-01"],
    ["level", [1], "hPa"],
    ["lat", [2], "degrees_north"],
    ["lon", [3], "degrees_east"],
    ["t", [0, 1, 2, 3], "K"],
    ["u", [0, 1, 2, 3], "m s**-1"],
    ["msl", [0, 2, 3], "Pa"],
  ];
  const sizeOf = (of) => 4 * of.reduce((product, d) => product * dims[d][1], 1);
  const write = (begin) => {
    parts.length = 0;
    parts.push(Buffer.from("CDF\x02"));
    int(0);
    int(10);
    int(dims.length);
    for (const [name, length] of dims) {
      text(name);
      int(length);
    }
    int(0);
    int(0);
    int(11);
    int(variables.length);
    let at = begin;
    const begins = {};
    for (const [name, of, units] of variables) {
      text(name);
      int(of.length);
      for (const d of of) int(d);
      int(12);
      int(1);
      text("units");
      int(2);
      text(units);
      int(5);
      int(sizeOf(of));
      int(Math.floor(at / 2 ** 32));
      int(at % 2 ** 32);
      begins[name] = at;
      at += sizeOf(of);
    }
    return { bytes: Buffer.concat(parts), begins };
  };
  const { length } = write(0).bytes;
  const { bytes, begins } = write(length);
  const axis = (values) => {
    const out = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries()) out.writeFloatBE(value, 4 * i);
    return out;
  };
  const range = (n, of) => Array.from({ length: n }, (_, i) => of(i));
  const axes = {
    time: axis(range(steps, (i) => first + i * step)),
    level: axis(LEVELS),
    lat: axis(range(GRID[0], (i) => 90 - i)),
    lon: axis(range(GRID[1], (i) => i)),
  };
  return { bytes, begins, axes };
}

/** One file a month. @returns paths, and bytes of all */
function makeFiles() {
  const steps = Math.max(2, Math.round((Number(gigabytes) * 1e9) / (MONTHS * PLANES * POINTS * 4)));
  const stepMinutes = Math.floor((DAYS * 1440) / steps);
  const base = noise(POINTS + 4099);
  const paths = [];
  let total = 0;
  for (let month = 0; month < MONTHS; month++) {
    const path = join(dir, `month-${month + 1}.nc`);
    const file = openSync(path, "w");
    const { bytes, begins, axes } = header(steps, month * DAYS * 1440, stepMinutes);
    writeSync(file, bytes, 0, bytes.length, 0);
    for (const [name, values] of Object.entries(axes)) writeSync(file, values, 0, values.length, begins[name]);
    for (const [v, name] of ["t", "u", "msl"].entries()) {
      const planes = steps * (name === "msl" ? 1 : LEVELS.length);
      for (let k = 0; k < planes; k++) {
        // the same noise, each time another part of it
        const from = 4 * ((k * 131 + v * 977 + month * 31) % 4099);
        writeSync(file, base, from, 4 * POINTS, begins[name] + k * 4 * POINTS);
      }
    }
    closeSync(file);
    total += statSync(path).size;
    paths.push(path);
  }
  return { paths, total };
}

const peakOf = (pid) => {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
};

const unitsDone = (folder) => {
  try {
    const journals = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
    return journals.reduce((sum, name) => sum + readFileSync(join(folder, name), "latin1").split("\n").length - 1, 0);
  } catch {
    return 0;
  }
};

/** Runs the program. @param killAfter units in the journals after which it is killed. @returns its peak in MiB and its seconds */
async function atmorep(args, killAfter = null, folder = "") {
  const began = performance.now();
  const child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  running = child;
  let said = "";
  let peak = 0;
  child.stderr.on("data", (text) => {
    said += text;
  });
  const look = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid));
    if (killAfter !== null && unitsDone(folder) >= killAfter) child.kill("SIGKILL");
  }, 50);
  const [code, signal] = await new Promise((resolve) => child.once("close", (...how) => resolve(how)));
  clearInterval(look);
  if (killAfter !== null ? signal !== "SIGKILL" : code !== 0) {
    throw new Error(`atmorep ${args.slice(0, 2).join(" ")}: ${code ?? signal}, ${said}`);
  }
  return { peak: Math.round(peak), seconds: Number(((performance.now() - began) / 1000).toFixed(1)) };
}

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .sort();

function sameBytes(a, b) {
  const files = [openSync(a, "r"), openSync(b, "r")];
  const blocks = [Buffer.alloc(1 << 22), Buffer.alloc(1 << 22)];
  try {
    for (;;) {
      const [n, m] = files.map((file, i) => readSync(file, blocks[i], 0, blocks[i].length, null));
      if (n !== m || !blocks[0].subarray(0, n).equals(blocks[1].subarray(0, m))) return false;
      if (n === 0) return true;
    }
  } finally {
    for (const file of files) closeSync(file);
  }
}

const { paths, total } = makeFiles();
const [one, parts] = [join(dir, "one.zarr"), join(dir, "parts.zarr")];
const fields = ["--field", "temperature=t", "--field", "velocity_u=u", "--field-sfc", "mean_sea_level_pressure=msl"];
const bounds = ["--jobs", jobs, "--memory", memory, "--chunks", "time=24,field=1,level=1"];
const importArgs = (out, ...more) => ["data", "import", ...paths, "--out", out, ...fields, ...bounds, ...more];
const whole = await atmorep(importArgs(one));
const folder = `${parts}.unfinished`;
const runs = [];
for (let number = 1; number <= 4; number++) {
  const args = importArgs(parts, "--part", `${number}/4`);
  if (KILLED.includes(number)) runs.push(await atmorep(args, unitsDone(folder) + 2, folder));
  runs.push(await atmorep(args));
}
const end = await atmorep(["data", "finalise", parts]);
const [names, others] = [filesOf(one), filesOf(parts)];
const differ = names.filter((name) => !others.includes(name) || !sameBytes(one + name, parts + name));
const peak = Math.max(whole.peak, end.peak, ...runs.map((run) => run.peak));
const { parseMemory } = await import("../dist/data/building/memory.js");
const bound = parseMemory(memory) / 2 ** 20;
const same = names.length === others.length && differ.length === 0;
console.log(
  JSON.stringify({
    sourceGB: Number((total / 1e9).toFixed(2)),
    storeGB: Number((names.reduce((sum, name) => sum + statSync(one + name).size, 0) / 1e9).toFixed(2)),
    files: names.length,
    same,
    memoryMiB: bound,
    peakMiB: { whole: whole.peak, parts: runs.map((run) => run.peak), finalise: end.peak },
    seconds: { whole: whole.seconds, parts: runs.map((run) => run.seconds), finalise: end.seconds },
  }),
);
if (!same || peak > bound) process.exitCode = 1;
