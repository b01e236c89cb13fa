import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { atmorep } from "../support/cli.js";
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
