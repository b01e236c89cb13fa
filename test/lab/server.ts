/** A JupyterLab of its own, started as `atmorep lab` starts it. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { labArguments } from "../../src/cli/commands/lab.js";
import { labVariables, SETTINGS } from "../../src/cli/lab/environment.js";

export interface LabServer {
  /** address of a notebook of the folder, with the token */
  address(notebook: string): string;
  stop(): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

const STARTUP_MS = 280_000;

/** Starts JupyterLab on a folder and waits until it answers. @throws Error with its log if it does not */
export async function startLab(folder: string): Promise<LabServer> {
  const port = await freePort();
  const token = randomBytes(24).toString("hex");
  const python = process.env.ATMOREP_TEST_JUPYTER;
  const variables = { ...labVariables(), JUPYTER_TOKEN: token };
  // as `atmorep lab` writes them into an environment of its own
  const settings = mkdtempSync(join(tmpdir(), "atmorep-settings-"));
  writeFileSync(join(settings, "overrides.json"), JSON.stringify(SETTINGS));
  const own = `--LabApp.app_settings_dir=${settings}`;
  const child = python
    ? spawn(python, [...labArguments(folder, { browser: false, port }), own], { env: variables })
    : spawn(
        process.execPath,
        [resolve("bin/atmorep.js"), "lab", "--yes", "--no-browser", "--port", String(port), folder],
        {
          env: { ...process.env, JUPYTER_TOKEN: token },
        },
      );
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      log += text;
    });
  }
  const base = `http://127.0.0.1:${port}`;
  for (const begin = Date.now(); ; await new Promise((tick) => setTimeout(tick, 200))) {
    const answer = await fetch(`${base}/api/status?token=${token}`).catch(() => null);
    if (answer?.ok) break;
    if (child.exitCode !== null || Date.now() - begin > STARTUP_MS)
      throw new Error(`JupyterLab did not start:\n${log}`);
  }
  return {
    address: (notebook) => `${base}/lab/tree/${notebook}?token=${token}&reset`,
    stop: () => stop(child, settings),
  };
}

function stop(child: ChildProcess, settings: string): Promise<void> {
  rmSync(settings, { recursive: true, force: true });
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once("exit", () => done());
    child.kill("SIGTERM");
  });
}
