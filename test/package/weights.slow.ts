/**
 * Memory of large weight files, by the built program in processes of their own. ATMOREP_WEIGHTS_MIB (default 256) is the
 * size of the weights; above 4096 the file needs zip64 for its directory.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeTorch } from "../../src/formats/torch/writer.js";
import { ROOT, runProgram } from "../support/cli.js";

const MIB = 2 ** 20;
const SIZE = Number(process.env.ATMOREP_WEIGHTS_MIB ?? 256);
/** a tensor of the published models: 1024 x 2048 numbers */
const TENSOR = 8;
const dir = mkdtempSync(join(tmpdir(), "atmorep-weights-"));
const file = join(dir, "large.mod");

beforeAll(async () => {
  const name = (i: number) => `encoders.0.heads.${i}.proj_out.weight`;
  const tensors = Array.from({ length: Math.ceil(SIZE / TENSOR) }, (_, i) => ({
    name: name(i),
    shape: [1024, 2048],
    dtype: "F32" as const,
    read: async () => new Uint8Array(new Float32Array(TENSOR * (MIB / 4)).fill(i + 0.5).buffer),
  }));
  await writeTorch(file, tensors);
}, 600_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Peak memory in MiB that `body` adds to a process with its modules loaded. */
async function peak(body: string): Promise<{ added: number; told: number }> {
  const script = `
    import { openWeights, convertWeights } from "./dist/formats/weights.js";
    import { readWeights } from "./dist/runs/weightFiles.js";
    const most = () => process.resourceUsage().maxRSS / 1024;
    const [file, out] = process.argv.slice(1);
    const before = most();
    let told = 0;
    ${body}
    console.log(JSON.stringify({ added: most() - before, told }));
    process.exit(0);`;
  const args = ["--input-type=module", "-e", script, file, join(dir, "out.safetensors")];
  const { code, stdout, stderr } = await runProgram(process.execPath, args, ROOT);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

it("names and shapes are known without loading tensors", async () => {
  const { added, told } = await peak("const f = await openWeights(file); told = f.tensors.length; await f.close();");
  console.log(`opening ${SIZE} MiB of weights added ${added.toFixed(0)} MiB`);
  expect(told).toBe(Math.ceil(SIZE / TENSOR));
  expect(added).toBeLessThan(2 * TENSOR + 24);
});

it("reading them all takes less than 1.5 times the weights", async () => {
  const { added, told } = await peak(
    'const w = await readWeights(file); told = w.get("encoders.0.heads.3.proj_out.weight").data[77];',
  );
  console.log(`reading ${SIZE} MiB of weights added ${added.toFixed(0)} MiB`);
  expect(told).toBe(3.5);
  expect(added).toBeGreaterThan(0.9 * SIZE);
  expect(added).toBeLessThan(1.5 * SIZE);
});

it("converting goes tensor by tensor", async () => {
  const { added, told } = await peak("told = await convertWeights(file, out);");
  console.log(`converting ${SIZE} MiB of weights added ${added.toFixed(0)} MiB`);
  expect(told).toBe(Math.ceil(SIZE / TENSOR));
  // garbage of a few tensors may wait to be collected, however many there are
  expect(added).toBeLessThan(Math.min(0.75 * SIZE, 256));
});
