/** Disks that fill up, folders that cannot be written, and two runs that want the same id. */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createRunFolder, runFolder } from "../../src/runs/folder.js";
import { lockRun } from "../../src/runs/lock.js";
import { atmorep, LAUNCHER, runProgram } from "../support/cli.js";
import { stateOf } from "../support/runState.js";
import { tempDir } from "../support/tempDir.js";
import { startTraining, writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

beforeAll(async () => {
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
});

/** Trains with no file allowed to grow above `kib`; the system answers as it does for a full disk. */
function withLimit(kib: number, args: readonly string[]) {
  const words = [process.execPath, LAUNCHER, "train", ...args].map((word) => `'${word}'`).join(" ");
  return runProgram("bash", ["-c", `ulimit -f ${kib}; exec ${words}`]);
}

describe("a full disk", () => {
  let checkpointKib: number;
  beforeAll(async () => {
    const out = temporaryFolder();
    await runAll(tinyConfig(), { out, runId: "measure1", maxSteps: 1 });
    const { checkpointDir } = runFolder(out, "measure1");
    checkpointKib = Math.ceil(statSync(join(checkpointDir, "latest.safetensors")).size / 1024);
  });

  it("while the results of a validation are written: exit 1, the last good checkpoint goes on", async () => {
    const out = tempDir();
    const set = { batch_size_validation: 20, num_samples_validate: 40 };
    const args = [writeTinyConfig(out, set), "--out", out, "--run-id", "full0001"];
    const { code, stderr } = await withLimit(checkpointKib + 8, args);
    expect(stderr).toMatch(/^error: .*the run cannot go on; found the file would exceed the size limit \(EFBIG\)/m);
    expect(stderr).toContain("--continue full0001 --in-place");
    expect(code).toBe(1);
    const config = tinyConfig(set);
    await runAll(config, { out, continue: "full0001", inPlace: true });
    await runAll(config, { out, runId: "unbroken" });
    expect(await stateOf(out, "full0001")).toEqual(await stateOf(out, "unbroken"));
    const left = readdirSync(join(out, "results", "idfull0001")).filter((name) => name.startsWith("."));
    expect(left).toEqual([]);
  });

  it("while a checkpoint is written: exit 1, no half file under its name", async () => {
    const out = tempDir();
    const args = [writeTinyConfig(out), "--out", out, "--run-id", "full0002"];
    const { code, stderr } = await withLimit(checkpointKib - 8, args);
    expect(stderr).toMatch(/^error: .*EFBIG.* has saved nothing yet/m);
    expect(code).toBe(1);
    expect(readdirSync(runFolder(out, "full0002").checkpointDir)).toEqual([]);
  });
});

describe("a folder that cannot be written", () => {
  // root may write anywhere unless it gives that right up
  const unprivileged = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override"] : [];
  const train = (...args: string[]) => {
    const [program, ...rest] = [...unprivileged, process.execPath, LAUNCHER, "train", ...args];
    return runProgram(program, rest);
  };

  it("read-only: exit 2, and says so", async () => {
    const out = tempDir();
    const config = writeTinyConfig(tempDir());
    chmodSync(out, 0o555);
    const { code, stderr } = await train(config, "--out", out);
    expect(stderr).toMatch(/^error: .*cannot be created; found permission denied \(EACCES\)\. Choose another folder/m);
    expect(code).toBe(2);
    expect(readdirSync(out)).toEqual([]);
  });

  it("below a file: exit 2, and says so", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, "file"), "");
    const { code, stderr } = await train(writeTinyConfig(dir), "--out", join(dir, "file"));
    expect(stderr).toMatch(/^error: .*cannot be created; found a part of the path is a file, not a folder/m);
    expect(code).toBe(2);
  });

  it("turned read-only while training: exit 1, the checkpoint stays", async () => {
    const out = tempDir();
    const config = tinyConfig({ num_epochs: 3 });
    await runAll(config, { out, runId: "locked01", maxSteps: 5 });
    const before = await stateOf(out, "locked01");
    const { checkpointDir } = runFolder(out, "locked01");
    chmodSync(checkpointDir, 0o555);
    const { code, stderr } = await train("--continue", "locked01", "--in-place", "--out", out);
    chmodSync(checkpointDir, 0o755);
    expect(stderr).toMatch(/^error: .*permission denied \(EACCES\)/m);
    expect(code).toBe(1);
    expect((await stateOf(out, "locked01")).state).toEqual(before.state);
  });
});

describe("two runs with the same id", () => {
  it("of two processes that start together one trains, the other exits 2", async () => {
    const out = tempDir();
    const args = ["train", writeTinyConfig(out), "--out", out, "--run-id", "same0001", "--max-steps", "2"];
    const ended = await Promise.all([atmorep(args), atmorep(args)]);
    expect(ended.map(({ code }) => code).sort(), ended.map(({ stderr }) => stderr).join("\n")).toEqual([0, 2]);
    expect(ended.find(({ code }) => code === 2)?.stderr).toMatch(/^error: .*a run with this id exists already/m);
    expect((await stateOf(out, "same0001")).metrics.length).toBe(3);
  });

  it("exactly one of many takes the folders", async () => {
    const folder = runFolder(tempDir(), "same0002");
    const outcomes = await Promise.allSettled(Array.from({ length: 16 }, () => createRunFolder(folder)));
    expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBe(1);
  });

  it("a folder of models alone is taken too, and nothing is left beside it", async () => {
    const folder = runFolder(tempDir(), "same0003");
    mkdirSync(folder.modelsDir, { recursive: true });
    await expect(createRunFolder(folder)).rejects.toThrow(/exists already/);
    expect(existsSync(folder.resultsDir)).toBe(false);
  });
});

describe("two processes that continue the same run in place", () => {
  it("one trains; the other exits 2 and changes nothing; after kill -9 of the first the run goes on", async () => {
    const out = tempDir();
    const config = writeTinyConfig(out, { num_epochs: 3 });
    const begun = await atmorep(["train", config, "--out", out, "--run-id", "twice001", "--max-steps", "2"]);
    expect(begun.code, begun.stderr).toBe(0);
    const { modelsDir } = runFolder(out, "twice001");
    expect(existsSync(join(modelsDir, "training.lock"))).toBe(false);

    const first = startTraining(["--continue", "twice001", "--in-place", "--out", out]);
    await first.event(1, ({ type }) => type === "step");
    first.child.kill("SIGSTOP");
    const before = readdirSync(modelsDir, { recursive: true }).sort();
    const second = await atmorep(["train", "--continue", "twice001", "--in-place", "--out", out]);
    expect(second.code).toBe(2);
    expect(second.stderr).toMatch(new RegExp(`another process trains this run.*process ${first.child.pid} on `, "s"));
    expect(readdirSync(modelsDir, { recursive: true }).sort()).toEqual(before);

    first.child.kill("SIGKILL");
    await first.ended;
    expect(existsSync(join(modelsDir, "training.lock"))).toBe(true);
    const third = await atmorep(["train", "--continue", "twice001", "--in-place", "--out", out]);
    expect(third.code, third.stderr).toBe(0);
    expect(existsSync(join(modelsDir, "training.lock"))).toBe(false);
    expect((await stateOf(out, "twice001")).state.epoch).toBe(3);
  });

  it("a lock of another machine holds, and the message says what to delete; one whose id was used again does not", async () => {
    const folder = runFolder(tempDir(), "foreign1");
    await createRunFolder(folder);
    const path = join(folder.modelsDir, "training.lock");
    const written = (holder: object) => writeFileSync(path, `${JSON.stringify(holder)}\n`);
    written({ host: "elsewhere", pid: 1, began: "1" });
    await expect(lockRun(folder)).rejects.toThrow(/process 1 on elsewhere/);
    await expect(lockRun(folder)).rejects.toThrow(/training\.lock: .*If it is gone, delete this file/s);
    written({ host: hostname(), pid: process.ppid, began: "1" });
    if (process.platform === "linux") await (await lockRun(folder)).release();
    writeFileSync(path, "half");
    await expect(lockRun(folder)).rejects.toThrow(/cannot be told/);
  });

  it("what a loss of power leaves of a lock does not hold, nor stays what a killed process had beside it", async () => {
    const folder = runFolder(tempDir(), "power001");
    await createRunFolder(folder);
    const path = join(folder.modelsDir, "training.lock");
    const gone = Number((await runProgram(process.execPath, ["-e", "console.log(process.pid)"])).stdout);
    for (const left of ["", "\0".repeat(56)]) {
      writeFileSync(path, left);
      writeFileSync(`${path}.${hostname()}.${gone}.0`, "");
      await (await lockRun(folder)).release();
      expect(readdirSync(folder.modelsDir)).toEqual([]);
    }
  });

  it("exactly one of several takes the lock of a process that is gone", async () => {
    const folder = runFolder(tempDir(), "foreign2");
    await createRunFolder(folder);
    const gone = runProgram(process.execPath, ["-e", "console.log(process.pid)"]);
    const pid = Number((await gone).stdout);
    writeFileSync(
      join(folder.modelsDir, "training.lock"),
      `${JSON.stringify({ host: hostname(), pid, began: null })}\n`,
    );
    const module = resolve("dist/runs/lock.js");
    const script = `import { lockRun } from ${JSON.stringify(module)};
      await lockRun({ modelsDir: ${JSON.stringify(folder.modelsDir)} });
      setTimeout(() => {}, 3000);`;
    const ended = await Promise.all(
      Array.from({ length: 4 }, () => runProgram(process.execPath, ["--input-type=module", "-e", script])),
    );
    expect(ended.filter(({ code }) => code === 0).length, ended.map(({ stderr }) => stderr).join("\n")).toBe(1);
    expect(readdirSync(folder.modelsDir)).toEqual(["training.lock"]);
  });
});
