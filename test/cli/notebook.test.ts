import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { atmorep, LAUNCHER } from "../support/cli.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";

describe("notebook new", () => {
  it("writes a notebook of the kernel, and never over another file", async () => {
    const path = join(tempDir(), "own.ipynb");
    expect(await runCli("notebook", "new", path)).toMatchObject({ code: 0 });
    const text = readFileSync(path, "utf8");
    const { cells, metadata, nbformat, nbformat_minor } = JSON.parse(text);
    expect([metadata.kernelspec.name, nbformat, nbformat_minor]).toEqual(["atmorep", 4, 5]);
    expect(new Set(cells.map(({ id }: { id: string }) => id)).size).toBe(cells.length);
    const again = await runCli("notebook", "new", path.replace(/\.ipynb$/, ""));
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("Give another name") });
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("refuses a folder that is not there", async () => {
    const path = join(tempDir(), "no", "own.ipynb");
    expect(await runCli("notebook", "new", path)).toMatchObject({ code: 2 });
    expect(existsSync(path)).toBe(false);
  });
});

/** A script in a folder of its own, outside of the checkout. */
function runScript(source: string) {
  const path = join(tempDir(), "script.ts");
  writeFileSync(path, source);
  return atmorep(["run", path]);
}

describe("run FILE.ts", () => {
  it("has the package, await at the top and a notebook's displays", async () => {
    const source = `import * as atmorep from "atmorep";
import { open } from "zarrita";
async function* two() { yield 1; yield 2; }
let sum = 0;
for await (const n of two()) sum += n;
await jupyter.display({ sum, preset: atmorep.presets().some(({ name }) => name === "storm"), open: typeof open });
`;
    expect(await runScript(source)).toMatchObject({
      code: 0,
      stdout: "{ sum: 3, preset: true, open: 'function' }\n",
    });
  });

  it.each([
    ["throws", "const a = 1;\nthrow new RangeError('too far: ' + a);", /RangeError: too far: 1[\s\S]*> 2 \| throw/],
    ["does not compile", "const a: number = 'x';", /line 1:7 - Type 'string' is not assignable to type 'number'/],
    ["drops a rejected promise", "void Promise.reject(new Error('dropped'));", /dropped/],
    ["throws late", "setTimeout(() => { throw new Error('late'); }, 10);", /late/],
    ["imports what is not there", "import * as x from 'no-such-package';\nx;", /no-such-package/],
  ])("that %s ends with 1 and says where", async (_name, source, message) => {
    const { code, stderr } = await runScript(source);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });
});

describe("run FILE...", () => {
  function scripts(): string {
    const folder = tempDir();
    const files = {
      "a.ts": 'console.log("from a");',
      "b.ts": 'throw new RangeError("from b");',
      "c.ts": 'console.log("from c");',
      "types.d.ts": "export {};",
      "notes.txt": "",
      ".ipynb_checkpoints/a-checkpoint.ts": 'console.log("an old one");',
      "deeper/d.mts": 'console.log("from d");',
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  }

  it("runs all, also after one has failed, and tells how each ended", async () => {
    const folder = scripts();
    const { code, stdout, stderr } = await atmorep(["run", "*.ts", "deeper/d.mts", "a.ts"], folder);
    expect(stdout).toBe("from a\nfrom c\nfrom d\n");
    expect(stderr).toMatch(/RangeError: from b/);
    expect(stderr).toMatch(
      /\na\.ts +done +[\d.]+ s\nb\.ts +failed +[\d.]+ s\nc\.ts +done +[\d.]+ s\ndeeper\/d\.mts +done +[\d.]+ s\n3 of 4 ran without an error\n$/,
    );
    expect(code).toBe(1);
    const good = await atmorep(["run", "a.ts", "**/d.*"], folder);
    expect(good).toMatchObject({ code: 0, stdout: "from a\nfrom d\n" });
  });

  it.each([
    ["a pattern that nothing fits", ["a.ts", "x*.ipynb"], /no file fits the pattern/],
    ["a pattern that no notebook fits", ["a.ts", "n*"], /no notebook or script fits the pattern; found 1 other/],
    ["a file that is not there", ["a.ts", "x.ipynb"], /no such file/],
    ["a file of another kind", ["a.ts", "notes.txt"], /not a notebook and not a script/],
    ["no file", [], /missing required argument/],
  ])("runs nothing for %s", async (_name, files, message) => {
    const { code, stdout, stderr } = await atmorep(["run", ...files], scripts());
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, ""]);
  });

  it("leaves the rest when it is stopped", async () => {
    const folder = scripts();
    writeFileSync(join(folder, "b.ts"), 'console.log("waits"); await new Promise((done) => setTimeout(done, 60_000));');
    const child = spawn(process.execPath, [LAUNCHER, "run", "b.ts", "c.ts"], { cwd: folder });
    let [out, err] = ["", ""];
    child.stdout.on("data", (text) => {
      out += text;
      child.kill("SIGTERM");
    });
    child.stderr.on("data", (text) => {
      err += text;
    });
    const [code] = await once(child, "close");
    expect(out).toBe("waits\n");
    expect(err).toMatch(/b\.ts +stopped .*\nc\.ts +not run\n0 of 2/);
    expect(code).toBe(143);
  });
});
