/** Files that one process at a time may hold, among processes that are killed, in other containers, on other machines. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { lockFile } from "../../src/native/index.js";
import { atmorep } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";
import { startTraining, writeTinyConfig } from "../support/tinyProgram.js";

const MODULE = resolve("dist/native/index.js");
/** Another process that takes the file and says so, and holds it until it is killed. */
const HOLD = (path: string) => `const { lockFile } = await import(${JSON.stringify(MODULE)});
  const lock = await lockFile(${JSON.stringify(path)});
  console.log("holder" in lock ? "held" : "taken");
  setInterval(() => {}, 1000);`;

async function holder(path: string, ...wrapped: string[]) {
  const [program, ...args] = [...wrapped, process.execPath, "--input-type=module", "-e", HOLD(path)];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(child.stdout, "data");
  return { child, said: String(said).trim() };
}

/** A process number namespace of its own, as a container has: the host name is the same, the numbers mean others. */
const CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
const hasContainers = spawnSync(CONTAINER[0], [...CONTAINER.slice(1), "true"]).status === 0;

describe.runIf(process.platform === "linux")("a lock of the operating system", () => {
  it("is let go when its process is killed, and its file counts no more, whatever machine it names", async () => {
    const path = join(tempDir(), "lock");
    const { child, said } = await holder(path);
    expect(said).toBe("taken");
    expect(await lockFile(path)).toMatchObject({ holder: { host: hostname(), pid: child.pid, by: "flock" } });
    child.kill("SIGKILL");
    await once(child, "exit");
    const text = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...text, host: "elsewhere" }));
    const lock = await lockFile(path);
    if ("holder" in lock) throw new Error("the lock of a dead process holds");
    expect(lock.bySystem).toBe(true);
    await lock.release();
    expect(existsSync(path)).toBe(false);
  });

  it("may be taken twice by one process, and is given back once", async () => {
    const path = join(tempDir(), "lock");
    const [first, second] = [await lockFile(path), await lockFile(path)];
    if ("holder" in first || "holder" in second) throw new Error("not taken");
    await second.release();
    await first.release();
    const { child, said } = await holder(path);
    child.kill();
    expect(said).toBe("taken");
  });

  it.runIf(hasContainers)("holds between containers of one host name, where process numbers say nothing", async () => {
    const path = join(tempDir(), "lock");
    const { child, said } = await holder(path, ...CONTAINER);
    expect(said).toBe("taken");
    expect(await lockFile(path)).toMatchObject({ holder: { host: hostname() } });
    child.kill("SIGKILL");
    await once(child, "exit");
  });

  it.runIf(hasContainers)("lets one of two containers continue a run in place", async () => {
    const out = tempDir();
    const config = writeTinyConfig(out, { num_epochs: 3 });
    expect((await atmorep(["train", config, "--out", out, "--run-id", "twice002", "--max-steps", "2"])).code).toBe(0);
    const first = startTraining(["--continue", "twice002", "--in-place", "--out", out]);
    await first.event(1, ({ type }) => type === "step");
    first.child.kill("SIGSTOP");
    const args = [...CONTAINER.slice(1), process.execPath, "bin/atmorep.js", "train"];
    const second = spawnSync(CONTAINER[0], [...args, "--continue", "twice002", "--in-place", "--out", out]);
    expect(second.status, String(second.stderr)).toBe(2);
    expect(String(second.stderr)).toContain("another process trains this run");
    first.child.kill("SIGKILL");
    await first.ended;
  });

  it("gives one of many the file", async () => {
    const folder = tempDir();
    const many = await Promise.all(Array.from({ length: 4 }, () => holder(join(folder, "lock"))));
    for (const { child } of many) child.kill("SIGKILL");
    expect(many.map(({ said }) => said).sort()).toEqual(["held", "held", "held", "taken"]);
    expect(readdirSync(folder)).toEqual(["lock"]);
  });
});

describe("where the operating system has none", () => {
  const none = () => "none" as const;
  it("the file's presence counts, and a process that is gone on this machine is taken over", async () => {
    const path = join(tempDir(), "lock");
    const lock = await lockFile(path, none);
    if ("holder" in lock) throw new Error("not taken");
    expect(lock.bySystem).toBe(false);
    await lock.release();
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, JSON.stringify({ host: "elsewhere", pid: 1, began: "1" }));
    expect(await lockFile(path, none)).toEqual({ holder: { host: "elsewhere", pid: 1, began: "1" } });
    const gone = spawnSync(process.execPath, ["-e", "console.log(process.pid)"]).stdout;
    writeFileSync(path, JSON.stringify({ host: hostname(), pid: Number(gone), began: null }));
    expect(await lockFile(path, none)).toMatchObject({ bySystem: false });
  });

  it("a process with the system's lock respects it", async () => {
    const path = join(tempDir(), "lock");
    const text = JSON.stringify({ host: "elsewhere", pid: 1, began: "1" });
    writeFileSync(path, text);
    expect(await lockFile(path)).toMatchObject({ holder: { host: "elsewhere" } });
    expect(readFileSync(path, "utf8")).toBe(text);
  });
});

describe("a job of Slurm that is started anew", () => {
  const none = () => "none" as const;
  const job = (id: string, restarts: number) => ({ host: "nodeA", pid: 1, began: "1", job: { id, restarts } });

  it.each([
    ["its own earlier life, on a machine that is gone, is taken over", job("77", 0), true],
    ["this life of it, on another machine, holds", job("77", 1), false],
    ["another job holds", job("76", 0), false],
    ["a process outside of jobs holds", { host: "nodeA", pid: 1, began: "1" }, false],
  ])("%s", async (_, holder, taken) => {
    vi.stubEnv("SLURM_JOB_ID", "77");
    vi.stubEnv("SLURM_RESTART_COUNT", "1");
    onTestFinished(() => void vi.unstubAllEnvs());
    const path = join(tempDir(), "lock");
    writeFileSync(path, JSON.stringify(holder));
    const lock = await lockFile(path, none);
    if (!taken) return expect(lock).toEqual({ holder });
    expect(lock).toMatchObject({ bySystem: false });
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ job: { id: "77", restarts: 1 } });
  });
});
