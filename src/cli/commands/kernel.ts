/** `atmorep kernel install` */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { homedir, platform } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { PACKAGE_ROOT } from "../../config/presets.js";
import { AtmorepError } from "../../errors.js";
import { writeFileAtomic } from "../../formats/atomic.js";
import { heapFlag } from "../lab/environment.js";
import { print, withExamples } from "../output.js";

interface InstallFlags {
  user?: boolean;
  sysPrefix?: boolean;
  prefix?: string;
}

export function registerKernel(program: Command): void {
  const kernel = program.command("kernel").description("install the notebook kernel for a Jupyter of your own");
  const install = kernel
    .command("install")
    .description('write a kernelspec "atmorep"; "atmorep lab" needs none')
    .option("--user", "for this user (the default)")
    .option("--sys-prefix", "into the Python environment that is active")
    .option("--prefix <DIR>", "into the Python environment or prefix DIR")
    .action(installAction);
  withExamples(install, ["kernel install", "kernel install --sys-prefix"]);
  withExamples(kernel, ["kernel install --user"]);
}

/** Where Jupyter looks for a user's kernels. */
function userData(): string {
  if (process.env.JUPYTER_DATA_DIR) return process.env.JUPYTER_DATA_DIR;
  if (platform() === "darwin") return join(homedir(), "Library", "Jupyter");
  if (platform() === "win32") return join(process.env.APPDATA ?? homedir(), "jupyter");
  return join(process.env.XDG_DATA_HOME ?? join(homedir(), ".local", "share"), "jupyter");
}

function activePrefix(): string {
  const found = spawnSync("python3", ["-c", "import sys; print(sys.prefix)"], { encoding: "utf8" });
  const prefix = found.status === 0 ? found.stdout.trim() : "";
  if (prefix !== "") return prefix;
  throw new AtmorepError("input", "no Python is active", { fix: "Activate an environment, or give --prefix DIR." });
}

function target(flags: InstallFlags): string {
  if ([flags.user, flags.sysPrefix, flags.prefix].filter(Boolean).length > 1) {
    throw new AtmorepError("usage", "more than one place to install to", {
      expected: "one of --user, --sys-prefix, --prefix",
    });
  }
  if (flags.prefix !== undefined) return join(resolve(flags.prefix), "share", "jupyter");
  return flags.sysPrefix === true ? join(activePrefix(), "share", "jupyter") : userData();
}

async function installAction(flags: InstallFlags): Promise<void> {
  const folder = join(target(flags), "kernels", "atmorep");
  const argv = [
    process.execPath,
    ...[heapFlag()].filter((flag) => flag !== null),
    "--no-force-async-hooks-checks",
    join(PACKAGE_ROOT, "bin", "kernel.js"),
    "{connection_file}",
  ];
  const spec = {
    ...{ argv, display_name: "TypeScript (AtmoRep)", language: "typescript", interrupt_mode: "message" },
    // JupyterLab offers its debugger where the specification says so
    metadata: { debugger: true },
  };
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new AtmorepError("input", "cannot write there", {
      where: folder,
      found: (error as Error).message,
      fix: "Choose a place of your own: --user, or --prefix DIR.",
      cause: error,
    });
  }
  await writeFileAtomic(join(folder, "kernel.json"), `${JSON.stringify(spec, null, 2)}\n`);
  const logo = "logo-svg.svg";
  copyFileSync(join(PACKAGE_ROOT, "assets", "kernelspec", "kernels", "atmorep", logo), join(folder, logo));
  print(`installed ${join(folder, "kernel.json")}`);
  print('Choose the kernel "TypeScript (AtmoRep)" in JupyterLab or VS Code.');
}
