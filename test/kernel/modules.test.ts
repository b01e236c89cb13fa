/** Modules and data of the notebook's own, edited between two cells, as a person does it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelClient, type Outcome } from "./client.js";

let kernel: KernelClient;
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "modules-"));
  kernel = await KernelClient.start(folder);
});
afterAll(async () => {
  await kernel.stop();
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const value = ({ of, reply }: Outcome) =>
  (of("execute_result")[0]?.data as Record<string, string>)?.["text/plain"] ?? String(reply.evalue);

describe("modules beside the notebook", () => {
  it("are loaded anew when what they import has changed, however far away", async () => {
    write("far.ts", "export const far = (): number => 1;\n");
    write("middle.ts", 'import { far } from "./far";\nexport const middle = () => far() + 10;\n');
    write("near.ts", 'import { middle } from "./middle";\nexport const near = () => middle() + 100;\n');
    const cell = 'import { near } from "./near";\nnear()';
    expect(value(await kernel.execute(cell))).toBe("111");
    write("far.ts", "export const far = (): number => 2;\n");
    expect(value(await kernel.execute(cell))).toBe("112");
    write("middle.ts", 'import { far } from "./far";\nexport const middle = () => far() + 20;\n');
    expect(value(await kernel.execute(cell))).toBe("122");
    expect(value(await kernel.execute(cell))).toBe("122");
  });

  it("are named with their ending too", async () => {
    expect(value(await kernel.execute('import { far as named } from "./far.ts";\nnamed()'))).toBe("2");
  });

  it("and data, which change as well, in modules too", async () => {
    write("sizes.json", '{ "width": 3 }');
    write("reads.ts", 'import sizes from "./sizes.json";\nexport const width = () => sizes.width;\n');
    const cell =
      'import sizes from "./sizes.json";\nimport { width } from "./reads";\n[sizes.width, width()].join(" ")';
    expect(value(await kernel.execute(cell))).toContain("3 3");
    write("sizes.json", '{ "width": 5 }');
    expect(value(await kernel.execute(cell))).toContain("5 5");
  });

  it("may come after the cell that lacked them", async () => {
    const cell = 'import { later } from "./later";\nlater';
    expect((await kernel.execute(cell)).reply).toMatchObject({ status: "error", ename: "TypeScriptError" });
    write("later.ts", 'export const later = "here";\n');
    expect(value(await kernel.execute(cell))).toContain("here");
  });

  it("name the right file and line in errors, printed ones too", async () => {
    write("fails.ts", "type Unused = string;\n\nexport function fails(): never {\n  throw new Error('mine');\n}\n");
    const { reply } = await kernel.execute('import { fails } from "./fails";\n\nfails();');
    expect(reply).toMatchObject({ status: "error", evalue: "mine" });
    const traceback = (reply.traceback as string[]).join("\n");
    expect(traceback).toMatch(/fails\.ts:4:9/);
    expect(traceback).toMatch(/cell \[\d+\]:3:\d/);
    const printed = await kernel.execute("try {\n  fails();\n} catch (error) {\n  console.error(error);\n}");
    expect(printed.text("stderr")).toMatch(/fails\.ts:4:9/);
    expect(printed.text("stderr")).toMatch(/cell \[\d+\]:2:\d/);
  });

  it("say where they do not compile", async () => {
    write("wrong.ts", "export const a = 1;\nexport const b: number = 'text';\n");
    const { reply } = await kernel.execute('import { b } from "./wrong";\nb');
    expect(reply).toMatchObject({ status: "error", ename: "TypeScriptError" });
    expect((reply.traceback as string[]).join("\n")).toMatch(/wrong\.ts:2:14/);
    write("wrong.ts", "export const a = 1;\nexport const b: number = 7;\n");
    expect(value(await kernel.execute('import { b } from "./wrong";\nb'))).toBe("7");
  });
});
