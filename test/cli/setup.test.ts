/** `npm start` and `npm test` in a fresh clone: real npm, against a registry of our own that serves one package. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { ROOT, runProgram } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";

// npm takes seconds to start on a machine that does other things too
vi.setConfig({ testTimeout: 300_000 });

/** In place of the compiler, which `launcher.test.ts` tests: writes the program of the checkouts below. */
const COMPILER = `const { mkdirSync, writeFileSync } = require("fs");
mkdirSync("dist/cli", { recursive: true });
writeFileSync("dist/cli/main.js", 'export const main = (args) => console.log("ran " + args.join(" "));');
`;

/** By version: what the registry has. */
const packed = new Map<string, { tarball: Buffer; integrity: string }>();

beforeAll(async () => {
  for (const version of ["1.0.0", "1.0.1"]) {
    const folder = mkdtempSync(join(tmpdir(), "atmorep-test-"));
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "typescript", version }));
    writeFileSync(join(folder, "bin", "tsc"), COMPILER);
    const { code, stdout, stderr } = await runProgram("npm", ["pack", "--json"], folder);
    expect(code, stderr).toBe(0);
    const [{ filename, integrity }] = JSON.parse(stdout);
    packed.set(version, { tarball: readFileSync(join(folder, filename)), integrity });
    rmSync(folder, { recursive: true });
  }
});

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A registry; `held`, if given, is asked before a tarball is sent. */
async function registry(held?: (send: () => void) => void) {
  const asked: string[] = [];
  const server = createServer((request, response: ServerResponse) => {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    asked.push(request.url ?? "");
    const version = /-(\d\.\d\.\d)\.tgz$/.exec(request.url ?? "")?.[1];
    if (version === undefined) {
      const versions = [...packed].map(([v, { integrity }]) => [
        v,
        { name: "typescript", version: v, dist: { integrity, tarball: `${base}/typescript-${v}.tgz` } },
      ]);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ name: "typescript", versions: Object.fromEntries(versions) }));
      return;
    }
    const send = () => response.end(packed.get(version)?.tarball);
    if (held) held(send);
    else send();
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

function lockTo(root: string, version: string): void {
  const needs = { typescript: version };
  const pkg = {
    name: "fresh",
    version: "0.0.0",
    type: "module",
    scripts: JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts,
    devDependencies: needs,
  };
  writeFileSync(join(root, "package.json"), JSON.stringify(pkg));
  const { integrity } = packed.get(version) as { integrity: string };
  const packages = {
    "": { name: "fresh", version: "0.0.0", devDependencies: needs },
    "node_modules/typescript": { version, integrity, dev: true },
  };
  writeFileSync(
    join(root, "package-lock.json"),
    JSON.stringify({ name: "fresh", version: "0.0.0", lockfileVersion: 3, requires: true, packages }),
  );
}

/** A clone as git leaves it, in a folder with a blank in its name. */
function freshClone(): string {
  const root = join(tempDir(), "a clone");
  mkdirSync(join(root, "src", "cli"), { recursive: true });
  cpSync(join(ROOT, "bin"), join(root, "bin"), { recursive: true });
  for (const name of ["tsconfig.json", "tsconfig.build.json", ".npmrc"]) cpSync(join(ROOT, name), join(root, name));
  writeFileSync(join(root, "src", "cli", "main.ts"), "");
  lockTo(root, "1.0.0");
  return root;
}

/** The environment of a terminal: without what the npm that runs these tests has set, with a cache of its own. */
function environment(url: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  return {
    ...Object.fromEntries(own),
    npm_config_registry: url,
    npm_config_cache: tempDir(),
    npm_config_update_notifier: "false",
  };
}

const start = (root: string, env: NodeJS.ProcessEnv, ...args: string[]) =>
  runProgram("npm", ["--silent", "start", ...(args.length ? ["--", ...args] : [])], root, env);

it("npm start alone installs and builds, a line each, and only once when two start together", async () => {
  const root = freshClone();
  const { url, asked } = await registry();
  const env = environment(url);
  const both = await Promise.all([start(root, env, "a"), start(root, env, "b")]);
  for (const [i, { code, stdout, stderr }] of both.entries()) {
    expect(stderr + stdout).toContain(`ran train --log short ${"ab"[i]}\n`);
    expect(code).toBe(0);
  }
  const told = both.map(({ stderr }) => stderr);
  const first = told.find((text) => text.startsWith("installing")) as string;
  expect(first).toMatch(/^installing packages .*\ninstalled in [\d.]+ s\n/);
  expect(told.join("").match(/^installing/gm)).toHaveLength(1);
  expect(told.join("").match(/^building/gm)).toHaveLength(1);
  expect(asked.filter((path) => path.endsWith(".tgz"))).toHaveLength(1);

  expect(await start(root, env)).toEqual({ code: 0, stdout: "ran train --log short\n", stderr: "" });
  // what git writes anew has a younger date and says the same
  writeFileSync(join(root, "package-lock.json"), readFileSync(join(root, "package-lock.json")));
  expect((await start(root, env)).stderr).toBe("");
  lockTo(root, "1.0.1");
  expect((await start(root, env)).stderr).toMatch(/^installing packages .*not what package-lock.json names/);
  expect(readFileSync(join(root, "node_modules", "typescript", "package.json"), "utf8")).toContain("1.0.1");
});

it("SIGTERM to npm start reaches the program", async () => {
  const root = freshClone();
  const env = environment((await registry()).url);
  const listening = `await new Promise((done) => { process.on("SIGTERM", done); console.log("listening"); setInterval(() => {}, 1e3); });
    console.log("saved"); process.exit(143);`;
  writeFileSync(join(root, "main.mjs"), listening);
  await start(root, env);
  writeFileSync(join(root, "dist", "cli", "main.js"), 'export const main = () => import("../../main.mjs");');
  const npm = spawn("npm", ["start"], { cwd: root, env });
  let told = "";
  npm.stdout.on("data", (chunk) => {
    told += chunk;
    if (String(chunk).includes("listening")) npm.kill("SIGTERM");
  });
  expect(await new Promise((resolve) => npm.on("close", resolve))).toBe(143);
  expect(told).toMatch(/saved\n$/);
});

it("npm test alone sets up too, before it looks for its test runner", async () => {
  const root = freshClone();
  const { code, stderr } = await runProgram("npm", ["--silent", "test"], root, environment((await registry()).url));
  expect(stderr).toMatch(/^installing .*\ninstalled .*\nbuilding .*\nbuilt .*\n/);
  expect(stderr).toContain("vitest");
  expect(code).not.toBe(0);
});

it("says that the registry cannot be reached, and begins anew at the next call", async () => {
  const root = freshClone();
  const { url } = await registry();
  const closed = servers.splice(0)[0];
  await new Promise((resolve) => closed.close(resolve));
  const env = { ...environment(url), npm_config_fetch_retries: "0" };
  const { code, stdout, stderr } = await start(root, env);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^error: the packages could not be installed\. The package registry cannot be reached/m);
  expect(stderr).not.toMatch(/\n\s+at .*install\.js/);
  expect(existsSync(join(root, ".cache", "install.lock"))).toBe(false);
  expect((await start(root, environment((await registry()).url))).code).toBe(0);
});

it("is killed while npm works: the next one waits for that npm, then goes on", async () => {
  const root = freshClone();
  let sending: () => void = () => {};
  let begun = () => {};
  const asked = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const { url } = await registry((send) => {
    sending = send;
    begun();
  });
  const env = environment(url);
  const first = spawn(process.execPath, [join(root, "bin", "setup.js")], { cwd: root, env, stdio: "ignore" });
  await asked;
  first.kill("SIGKILL");
  const next = spawn(process.execPath, [join(root, "bin", "setup.js")], { cwd: root, env });
  let told = "";
  next.stderr.on("data", (chunk) => {
    told += chunk;
  });
  const ended = new Promise((resolve) => next.on("close", resolve));
  await new Promise((resolve) => next.stderr.once("data", resolve));
  expect(told).toBe("waiting for another process that installs packages ...\n");
  sending();
  expect(await ended).toBe(0);
  expect(told).toContain("building dist/");
});
