/** The Python environment in which JupyterLab runs: made once, in the checkout, from a file of pinned hashes. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { AtmorepError } from "../../errors.js";
import { writeFileAtomic } from "../../formats/atomic.js";
import { note } from "../output.js";

/** Root of the package: the folder that holds `package.json`. */
export const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const FOLDER = join(ROOT, ".venv");
const REQUIREMENTS = join(ROOT, "assets", "lab", "requirements.txt");
/** Holds the hash of the requirements that the environment was made from; written last. */
const STAMP = join(FOLDER, "atmorep-lab.sha256");
const BIN = join(FOLDER, process.platform === "win32" ? "Scripts" : "bin");
const PYTHONS = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

/** The environment's Python. */
export const LAB_PYTHON = join(BIN, process.platform === "win32" ? "python.exe" : "python");

function wantedStamp(): string {
  return createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex");
}

export function hasLab(): boolean {
  return existsSync(STAMP) && existsSync(LAB_PYTHON) && readFileSync(STAMP, "utf8").trim() === wantedStamp();
}

/** A Python of at least 3.10 that can make environments. @throws AtmorepError if there is none */
function findPython(): string {
  for (const name of PYTHONS) {
    const check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
    if (spawnSync(name, ["-c", check]).status === 0) return name;
  }
  throw new AtmorepError("input", "no Python 3.10 or newer that can make environments", {
    expected: `one of ${PYTHONS.join(", ")} on the path, with its module venv`,
    fix: "Install Python (on Debian: python3 and python3-venv), then run the command again.",
  });
}

async function agree(): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question("Go on? [Y/n] ");
  lines.close();
  return /^(y|yes|)$/i.test(answer.trim());
}

function runStep(what: string, command: string, args: readonly string[]): void {
  note(what);
  const result = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (result.status === 0) return;
  throw new AtmorepError("failed", `${what} failed`, {
    where: FOLDER,
    found: result.error?.message ?? `exit code ${result.status}`,
    fix: "See the lines above; the next call begins anew.",
  });
}

/**
 * Makes the environment if it is not there or was made from other pins.
 * @param yes download without asking
 * @throws AtmorepError if the user does not agree, or Python or the download fails
 */
export async function ensureLab(yes: boolean): Promise<void> {
  if (hasLab()) return;
  const python = findPython();
  note(`JupyterLab is not there yet. About 100 MB are downloaded from Python's package index, each file checked`);
  note(`against a pinned hash, into ${FOLDER}; 1 to 2 minutes. Nothing else is changed.`);
  if (!yes && !(await agree())) {
    throw new AtmorepError("usage", "JupyterLab was not downloaded", {
      fix: "Give --yes to download without a question.",
    });
  }
  rmSync(FOLDER, { recursive: true, force: true });
  runStep("making the environment ...", python, ["-m", "venv", FOLDER]);
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"];
  runStep("downloading JupyterLab ...", LAB_PYTHON, [...install, "-r", REQUIREMENTS]);
  await writeFileAtomic(STAMP, `${wantedStamp()}\n`);
}

/** Variables by which Jupyter finds the kernel of this checkout, and the kernel this Node. */
export function labVariables(): NodeJS.ProcessEnv {
  const own = join(ROOT, "assets", "kernelspec");
  const former = process.env.JUPYTER_PATH;
  const path = [dirname(process.execPath), BIN, process.env.PATH ?? ""].join(delimiter);
  const share = join(FOLDER, "share", "jupyter");
  return {
    ...process.env,
    // Nothing is written outside the checkout.
    JUPYTER_RUNTIME_DIR: join(share, "runtime"),
    JUPYTERLAB_SETTINGS_DIR: join(share, "user-settings"),
    JUPYTERLAB_WORKSPACES_DIR: join(share, "workspaces"),
    JUPYTER_PATH: former ? [own, former].join(delimiter) : own,
    PATH: path,
  };
}
