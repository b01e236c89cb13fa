/**
 * The Python environment in which JupyterLab runs: made once, from a file of pinned hashes; in the checkout, for an
 * installed package in the user's cache.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { totalmem } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { userCache } from "../../data/userCache.js";
import { AtmorepError } from "../../errors.js";
import { writeFileAtomic } from "../../formats/atomic.js";
import { systemFault } from "../../formats/systemFault.js";
import { lockFile } from "../../native/index.js";
import { ask, canAsk } from "../ask.js";
import { note } from "../output.js";

/** Root of the package: the folder that holds `package.json`. */
export const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
/** Whether this is an installed package, whose folder belongs to npm, and not a checkout. */
export const INSTALLED = !existsSync(join(ROOT, "src"));
const FOLDER = INSTALLED ? userCache("lab") : join(ROOT, ".venv");
/** Where the kernel keeps compiled code: never inside a package, which TypeScript watches for changes. */
export const KERNEL_CACHE = userCache("kernel");
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
/**
 * JupyterLab's defaults that differ here: it looks for no news and no updates, so that it needs no network; and it saves widgets in the
 * notebook, without which it shows an error in their place when the notebook is opened again.
 */
export const SETTINGS = {
  "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
  "@jupyter-widgets/jupyterlab-manager:plugin": { saveState: true },
};
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

/** Asks on the terminal, whose end means no. */
async function agree(): Promise<boolean> {
  if (!canAsk()) return false;
  const answer = await ask("Go on? [Y/n] ");
  return answer !== null && /^(y|yes|)$/i.test(answer);
}

/** Waits without keeping signals out; a step does not go on after this process, which lets its lock go. */
async function runStep(folder: string, what: string, command: string, args: readonly string[], fix: string) {
  note(what);
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  const end = () => child.kill();
  process.once("exit", end);
  const result = await new Promise<{ status?: number | null; error?: Error }>((resolve) => {
    child.once("error", (error) => resolve({ error }));
    child.once("exit", (status) => resolve({ status }));
  });
  process.off("exit", end);
  if (result.status === 0) return;
  throw new AtmorepError("failed", `${what.replace(" ...", "")} failed`, {
    where: folder,
    found: result.error?.message ?? `exit code ${result.status}`,
    fix: `See the lines above. ${fix} The next call begins anew.`,
  });
}

/**
 * Makes the environment if it is not there, does not work, or was made from other pins. One process at a time does so:
 * another one waits for it, and takes what it has made.
 * @param yes download without asking
 * @throws AtmorepError if the user does not agree, if Python or the download fails, or if the folder is somebody else's
 */
export async function ensureLab(yes: boolean, folder = FOLDER): Promise<void> {
  if (labState(folder) === "whole") return;
  const lock = await lockedBesides(folder);
  try {
    await makeLab(yes, folder);
  } finally {
    await lock.release();
  }
}

const LOOK_EVERY_MS = 500;

/** The lock beside the folder, which is made anew within it. It ends with its process, so nobody waits for a killed one. */
async function lockedBesides(folder: string) {
  const path = `${folder}.lock`;
  for (let told = false; ; told = true) {
    const taken = await beside(path).catch((error) => {
      throw systemFault(error, "failed", "JupyterLab's environment cannot be made", {
        where: path,
        fix: "Make the folder writable; or use a Jupyter of your own with the kernel of `atmorep kernel install`.",
      });
    });
    if (!("holder" in taken)) return taken;
    if (!told) {
      const who = taken.holder === null ? "another process" : `process ${taken.holder.pid} on ${taken.holder.host}`;
      note(`${who} is making JupyterLab's environment; waiting for it. Ctrl-C ends the waiting.`);
      if (taken.holder?.by !== "flock") note(`If it is gone, delete ${path}.`);
    }
    await pause(LOOK_EVERY_MS);
  }
}

/** Of an installed package the folder lies in a cache that may not be there yet. */
async function beside(path: string) {
  await mkdir(dirname(path), { recursive: true });
  return lockFile(path);
}

async function makeLab(yes: boolean, folder: string): Promise<void> {
  // Whoever was waited for may have made it.
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
  await runStep(
    folder,
    "making the environment ...",
    python,
    ["-m", "venv", folder],
    "Python's module venv is needed.",
  );
  const install = "-m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes -r".split(" ");
  const network = "It needs the network; pip's settings hold for it, such as PIP_INDEX_URL and PIP_PROXY.";
  await runStep(folder, "downloading JupyterLab ...", pythonOf(folder), [...install, REQUIREMENTS], network);
  const settings = join(folder, "share", "jupyter", "lab", "settings");
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, "overrides.json"), `${JSON.stringify(SETTINGS, null, 2)}\n`);
  await writeFileAtomic(stampOf(folder), `${wantedStamp()}\n`);
}

/** Of the machine's memory, what a kernel's heap may grow to; V8 stops at 4 GB by itself. */
const HEAP_SHARE = 0.75;

/** Node's option for it; null where the user has given one. */
export function heapFlag(options = process.env.NODE_OPTIONS ?? ""): string | null {
  if (/--max[-_]old[-_]space[-_]size/.test(options)) return null;
  // a container's limit; without one it is absent, 0 or more than there is
  const limit = process.constrainedMemory?.() || totalmem();
  return `--max-old-space-size=${Math.floor((HEAP_SHARE * Math.min(limit, totalmem())) / 2 ** 20)}`;
}

/**
 * Variables by which Jupyter finds the kernel of this checkout, and the kernel this Node. What Jupyter and IPython keep
 * (settings, signatures, history) stays inside the environment.
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
    NODE_OPTIONS: [process.env.NODE_OPTIONS, heapFlag()].filter(Boolean).join(" "),
    JUPYTER_PATH: former ? [own, former].join(delimiter) : own,
    PATH: path,
  };
}
