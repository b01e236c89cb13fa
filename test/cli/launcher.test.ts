import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { ROOT, runProgram } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";

const MAIN = 'export async function main(args: string[]): Promise<void> { console.log("ran " + args.join(" ")); }\n';

/** A small package with the real launcher and the real compiler. */
function checkout(source = MAIN): string {
  const root = tempDir();
  cpSync(join(ROOT, "bin"), join(root, "bin"), { recursive: true });
  cpSync(join(ROOT, "tsconfig.json"), join(root, "tsconfig.json"));
  cpSync(join(ROOT, "tsconfig.build.json"), join(root, "tsconfig.build.json"));
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  writeFileSync(join(root, "package.json"), '{"type":"module"}');
  mkdirSync(join(root, "src", "cli"), { recursive: true });
  writeFileSync(join(root, "src", "cli", "main.ts"), source);
  return root;
}

const launch = (root: string, ...args: string[]) =>
  runProgram(process.execPath, [join(root, "bin", "atmorep.js"), ...args], root);

it("builds when dist is missing, not again, and again after a change", async () => {
  const root = checkout();
  const first = await launch(root, "a", "b");
  expect(first).toMatchObject({ code: 0, stdout: "ran a b\n" });
  expect(first.stderr).toMatch(/^building dist\/ \.\.\.\nbuilt in /);
  expect(await launch(root)).toMatchObject({ code: 0, stderr: "" });

  writeFileSync(join(root, "src", "cli", "main.ts"), MAIN.replace("ran", "changed"));
  expect(await launch(root, "c")).toMatchObject({ code: 0, stdout: "changed c\n" });
});

it("shows the compiler's output and exits 1 when the build fails, at every call", async () => {
  const root = checkout("export const main: number = 'text';\n");
  for (let call = 0; call < 2; call++) {
    const { code, stderr } = await launch(root);
    expect(code).toBe(1);
    expect(stderr).toMatch(/src\/cli\/main\.ts.*TS2322/);
    expect(stderr).not.toMatch(/\n\s+at /);
  }
  expect(existsSync(join(root, ".cache", "build.lock"))).toBe(false);
});

it("builds once when several processes start together", async () => {
  const root = checkout();
  const outcomes = await Promise.all([1, 2, 3, 4].map((i) => launch(root, String(i))));
  expect(outcomes.map(({ code, stdout }) => [code, stdout])).toEqual([1, 2, 3, 4].map((i) => [0, `ran ${i}\n`]));
  expect(outcomes.filter(({ stderr }) => stderr.includes("building")).length).toBe(1);
});

it.skipIf(process.platform === "win32")(
  "leaves no compiler at work when it is killed, and builds at the next call",
  async () => {
    const root = checkout();
    const modules = join(root, "node_modules");
    rmSync(modules);
    const compiler = join(modules, "typescript", "bin", "tsc");
    mkdirSync(dirname(compiler), { recursive: true });
    const told = join(root, "compiler");
    // works for ever, without a look at anything else, as a large build does
    writeFileSync(
      compiler,
      `require("node:fs").writeFileSync(${JSON.stringify(told)}, String(process.pid)); for (;;);`,
    );
    const call = spawn(process.execPath, [join(root, "bin", "atmorep.js")], { cwd: root, stdio: "ignore" });
    while (!existsSync(told) || readFileSync(told, "utf8") === "") await sleep(50);
    const pid = Number(readFileSync(told, "utf8"));
    try {
      call.kill("SIGKILL");
      while (isAlive(pid)) await sleep(50);
    } finally {
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
    }
    rmSync(modules, { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), modules);
    expect(await launch(root, "z")).toMatchObject({ code: 0, stdout: "ran z\n" });
  },
);

/** False too for one that has ended and that nobody has asked for its end. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}/stat`) || !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

it("takes over a lock whose owner has died", async () => {
  const root = checkout();
  const lock = join(root, ".cache", "build.lock");
  mkdirSync(lock, { recursive: true });
  const old = new Date(Date.now() - 3_600_000);
  utimesSync(lock, old, old);
  expect(await launch(root, "x")).toMatchObject({ code: 0, stdout: "ran x\n" });
});

it("never builds an installed package, which has no sources", async () => {
  const root = checkout();
  await launch(root);
  rmSync(join(root, "src"), { recursive: true });
  rmSync(join(root, "node_modules"));
  rmSync(join(root, "dist", ".built"));
  expect(await launch(root, "y")).toMatchObject({ code: 0, stdout: "ran y\n", stderr: "" });
});

it("says what is missing when the compiler is not installed", async () => {
  const root = checkout();
  rmSync(join(root, "node_modules"));
  const { code, stderr } = await launch(root);
  expect(code).toBe(1);
  expect(stderr).toContain('Run "npm install"');
});
