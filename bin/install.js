/**
 * Installs what `package-lock.json` names when `node_modules/` is missing or holds something else. Plain JavaScript without
 * dependencies, because it runs before there are any. Several processes may start at once: one installs, the others wait.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { takeLock } from "./lock.js";

const read = (path) => JSON.parse(readFileSync(path, "utf8")).packages;

/**
 * True if every package that the lock file needs is installed in its version. By content, not by age: a lock file that git
 * has written again is newer and asks for the same. npm writes its own list last, so an install that was cut off has none.
 */
export function isInstalled(root) {
  const lock = join(root, "package-lock.json");
  const list = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(lock)) return true;
  if (!existsSync(list)) return false;
  const there = read(list);
  return Object.entries(read(lock)).every(
    ([path, { version, optional, devOptional }]) =>
      path === "" || optional || devOptional || there[path]?.version === version,
  );
}

/** npm as it was called, else that of the path. */
function npm() {
  const called = process.env.npm_execpath;
  return called && basename(called) === "npm-cli.js" ? [process.execPath, called] : ["npm"];
}

/** What of npm's messages says why, and what to do. */
function advice(messages) {
  if (/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|network/i.test(messages)) {
    return "The package registry cannot be reached. Check the network, a proxy (npm config get proxy) and the registry (npm config get registry); on a machine without a network, copy node_modules/ from one with the same system and Node.";
  }
  if (/ENOSPC/.test(messages)) return "The disk is full: about 700 MB are needed.";
  if (/EACCES|EPERM|EROFS/.test(messages)) return "The folder cannot be written.";
  return 'Try "npm ci" by hand, which tells more.';
}

/** npm's own words without the places in its code. */
const firstLines = (messages) =>
  messages
    .split("\n")
    .filter((line) => /^npm \S+ \S/.test(line))
    .slice(0, 8)
    .join("\n");

/** `npm ci` in `root`, quietly. @returns its exit status or signal, and its messages */
function run(root, started) {
  const [program, ...first] = npm();
  // what is in npm's own cache is not asked for again, and a network that is away is given up in seconds; both unless told otherwise
  const env = { npm_config_prefer_offline: "true", npm_config_fetch_retry_mintimeout: "1000", ...process.env };
  // with the compiler also under NODE_ENV=production
  const args = [...first, "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error", "--no-progress"];
  const child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let stoppedBy = null;
  const forward = (signal) => {
    stoppedBy = signal;
    child.kill(signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  if (child.pid) started(child.pid);
  let messages = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      messages += chunk;
    });
  }
  return new Promise((resolve) => {
    const end = (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve({ code, signal: stoppedBy ?? signal, messages });
    };
    child.on("error", (error) => {
      messages += error.message;
      end(1, null);
    });
    child.on("close", end);
  });
}

/**
 * npm removes what is there before it fetches: where it cannot, the old packages come back.
 * @returns to be told whether npm has succeeded
 */
function setAside(modules, old) {
  try {
    // those that an install left which was killed are whole, what it has made is not
    if (existsSync(modules) && !existsSync(old)) renameSync(modules, old);
  } catch {
    // a mount of its own cannot be moved; npm empties it
  }
  return (succeeded) => {
    if (!succeeded && existsSync(old)) {
      rmSync(modules, { recursive: true, force: true });
      renameSync(old, modules);
    }
    rmSync(old, { recursive: true, force: true });
  };
}

/**
 * Installs if needed; says so on standard error, a line when it begins and one when it is done.
 * @param root folder of the lock file
 * @param size what it takes, for people
 * @throws Error with npm's messages and what to do
 */
export async function install(root, size = "about 700 MB") {
  if (isInstalled(root)) return;
  const { release, sharedWith } = takeLock(join(root, ".cache", "install.lock"), () =>
    process.stderr.write("waiting for another process that installs packages ...\n"),
  );
  try {
    if (isInstalled(root)) return;
    const start = performance.now();
    const why = existsSync(join(root, "node_modules")) ? "node_modules/ is not what package-lock.json names" : "once";
    process.stderr.write(`installing packages from package-lock.json (${why}; ${size} on disk) ...\n`);
    const keep = setAside(join(root, "node_modules"), join(root, ".cache", "node_modules.old"));
    const { code, signal, messages } = await run(root, sharedWith);
    keep(code === 0 && !signal);
    if (signal) {
      const error = new Error(`stopped by ${signal} while packages were installed; the next call begins anew`);
      error.signal = signal;
      throw error;
    }
    if (code !== 0) {
      throw new Error(`the packages could not be installed. ${advice(messages)}\n${firstLines(messages)}`);
    }
    process.stderr.write(`installed in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  } finally {
    release();
  }
}
