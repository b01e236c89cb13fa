/** The Python environment in which JupyterLab runs: made once, in the checkout, from a file of pinned hashes. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
const PYTHONS = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
const WINDOWS = process.platform === "win32";

const binOf = (folder: string) => join(folder, WINDOWS ? "Scripts" : "bin");
const pythonOf = (folder: string) => join(binOf(folder), WINDOWS ? "python.exe" : "python");
/** There from the beginning, so that a folder of somebody else's is known; at the end it holds the requirements' hash. */
const stampOf = (folder: string) => join(folder, "atmorep-lab.sha256");

/** The environment's Python. */
export const LAB_PYTHON = pythonOf(FOLDER);

const wantedStamp = () => createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex");

/** `foreign`: a folder that this program did not make. */
export type LabState = "whole" | "absent" | "unfinished" | "outdated" | "broken" | "foreign";

/** What there is of the environment. */
export function labState(folder = FOLDER): LabState {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return "absent";
  if (!existsSync(stampOf(folder))) return "foreign";
  const stamp = readFileSync(stampOf(folder), "utf8").trim();
  if (stamp === UNFINISHED) return "unfinished";
  if (stamp !== wantedStamp()) return "outdated";
  const check =
    "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ['jupyterlab', 'nbclient', 'ipykernel', 'plotly'])))";
  return spawnSync(pythonOf(folder), ["-c", check]).status === 0 ? "whole" : "broken";
}

const UNFINISHED = "unfinished";
/** JupyterLab's defaults that differ here: it looks for no news and no updates, so that it needs no network. */
const SETTINGS = { "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false } };
const REASONS: Readonly<Record<Exclude<LabState, "whole" | "foreign">, string>> = {
  absent: "JupyterLab is not there yet.",
  unfinished: "JupyterLab was not downloaded to the end.",
  outdated: "This version wants other packages beside JupyterLab.",
  broken: "JupyterLab's environment no longer works, as after an upgrade of Python; it is made anew.",
};

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

/** Asks on the terminal; its end, or an interrupt, means no. */
async function agree(): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const left = new Promise<string>((answer) => {
    lines.once("SIGINT", () => answer("n"));
    lines.once("close", () => answer("n"));
  });
  const answer = await Promise.race([lines.question("Go on? [Y/n] "), left]);
  lines.close();
  return /^(y|yes|)$/i.test(answer.trim());
}

function runStep(folder: string, what: string, command: string, args: readonly string[], fix: string): void {
  note(what);
  const result = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (result.status === 0) return;
  throw new AtmorepError("failed", `${what.replace(" ...", "")} failed`, {
    where: folder,
    found: result.error?.message ?? `exit code ${result.status}`,
    fix: `See the lines above. ${fix} The next call begins anew.`,
  });
}

/**
 * Makes the environment if it is not there, does not work, or was made from other pins.
 * @param yes download without asking
 * @throws AtmorepError if the user does not agree, if Python or the download fails, or if the folder is somebody else's
 */
export async function ensureLab(yes: boolean, folder = FOLDER): Promise<void> {
  const state = labState(folder);
  if (state === "whole") return;
  if (state === "foreign") {
    throw new AtmorepError("input", "a folder that atmorep did not make", {
      where: folder,
      expected: "no such folder, or the one of an earlier call",
      fix: "Move it away; or use a Jupyter of your own with the kernel of `atmorep kernel install`.",
    });
  }
  const python = findPython();
  note(`${REASONS[state]} About 100 MB are downloaded from Python's package index, each file checked`);
  note(`against a pinned hash, into ${folder}; 1 to 2 minutes. Nothing else is changed.`);
  if (!yes && !(await agree())) {
    throw new AtmorepError("usage", "JupyterLab was not downloaded", {
      fix: "Give --yes to download without a question.",
    });
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(stampOf(folder), `${UNFINISHED}\n`);
  // JupyterLab starts scripts of its own under Node, which would take them for ES modules as the checkout's files are.
  writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }\n');
  runStep(folder, "making the environment ...", python, ["-m", "venv", folder], "Python's module venv is needed.");
  const install = "-m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes -r".split(" ");
  const network = "It needs the network; pip's settings hold for it, such as PIP_INDEX_URL and PIP_PROXY.";
  runStep(folder, "downloading JupyterLab ...", pythonOf(folder), [...install, REQUIREMENTS], network);
  const settings = join(folder, "share", "jupyter", "lab", "settings");
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, "overrides.json"), `${JSON.stringify(SETTINGS, null, 2)}\n`);
  await writeFileAtomic(stampOf(folder), `${wantedStamp()}\n`);
}

/**
 * Variables by which Jupyter finds the kernel of this checkout, and the kernel this Node. What Jupyter and IPython keep
 * (settings, signatures, history) stays inside the environment: nothing is written outside the checkout.
 */
export function labVariables(): NodeJS.ProcessEnv {
  const own = join(ROOT, "assets", "kernelspec");
  const former = process.env.JUPYTER_PATH;
  const path = [dirname(process.execPath), binOf(FOLDER), process.env.PATH ?? ""].join(delimiter);
  const share = join(FOLDER, "share", "jupyter");
  return {
    ...process.env,
    JUPYTER_CONFIG_DIR: join(share, "user-config"),
    JUPYTER_DATA_DIR: share,
    JUPYTER_RUNTIME_DIR: join(share, "runtime"),
    JUPYTERLAB_SETTINGS_DIR: join(share, "user-settings"),
    JUPYTERLAB_WORKSPACES_DIR: join(share, "workspaces"),
    IPYTHONDIR: join(share, "ipython"),
    JUPYTER_PATH: former ? [own, former].join(delimiter) : own,
    PATH: path,
  };
}
