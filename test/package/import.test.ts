/** What a program gets when it imports the built package by its name. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT, runProgram } from "../support/cli.js";

const node = async (...args: string[]) => {
  const { code, stdout, stderr } = await runProgram(process.execPath, args, ROOT);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
};

/** Libraries that must not be loaded before they are used. */
const HEAVY = ["plotly", "vega", "arquero", "zeromq", "koffi", "@tensorflow"];

/** Prints every file that is loaded, through Node's own loader hooks. */
const LIST_LOADED = `
  import { register } from "node:module";
  import { MessageChannel } from "node:worker_threads";
  const { port1, port2 } = new MessageChannel();
  const urls = [];
  port1.on("message", (url) => urls.push(url));
  const hooks = "let port; export async function initialize(p) { port = p; }" +
    "export async function load(url, context, next) { port.postMessage(url); return next(url, context); }";
  register("data:text/javascript," + encodeURIComponent(hooks), { data: port2, transferList: [port2] });
  await import(process.argv[1]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { createRequire } = await import("node:module");
  const required = Object.keys(createRequire(process.cwd() + "/x.js").cache);
  console.log(JSON.stringify([...urls, ...required]));
  process.exit(0);
`;

it.each(["atmorep", "atmorep/scores", "atmorep/notebook"])("importing %s loads no heavy library", async (entry) => {
  const loaded: string[] = JSON.parse(await node("--no-warnings", "--input-type=module", "-e", LIST_LOADED, entry));
  const own = loaded.filter((url) => url.includes("/dist/"));
  expect(own.length).toBeGreaterThan(0);
  // so that it is there at once: 103 files of atmorep when this was written; what computes, reads or draws comes with its first call
  if (entry === "atmorep") expect(own.length).toBeLessThan(130);
  expect(loaded.filter((url) => HEAVY.some((name) => url.includes(`/node_modules/${name}`)))).toEqual([]);
});

it("can be required", async () => {
  const script = 'const atmorep = require("atmorep"); console.log(typeof atmorep.AtmorepError);';
  const { stdout } = await runProgram(process.execPath, ["-e", script], ROOT);
  expect(stdout).toBe("function\n");
});

it.each(["atmorep", "atmorep/scores", "atmorep/notebook"])("%s exports what the list says", async (entry) => {
  const script = `console.log(Object.keys(await import("${entry}")).sort().join("\\n")); process.exit(0);`;
  const names = (await node("--input-type=module", "-e", script)).trim().split("\n");
  expect(names).toMatchSnapshot();
});

it("names only files that exist or are built", () => {
  const { main, types, exports, typesVersions } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const files = [main, types, ...Object.values(typesVersions["*"]).flat(), ...Object.values(exports["."])] as string[];
  for (const file of files) expect(readFileSync(join(ROOT, file), "utf8").length, file).toBeGreaterThan(0);
});
