/** JupyterLab's environment: what state it is in, and what is said when it cannot be made. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ensureLab, labState, labVariables, ROOT } from "../../src/cli/lab/environment.js";
import { runProgram } from "../support/cli.js";
import { runCli } from "../support/inProcess.js";

const STAMP = "atmorep-lab.sha256";
const pins = readFileSync(join(ROOT, "assets", "lab", "requirements.txt"));
const wanted = createHash("sha256").update(pins).digest("hex");
const empty = () => mkdtempSync(join(tmpdir(), "atmorep-lab-"));

/** A folder as an earlier call left it, with a Python that answers with the exit code. */
function made(stamp: string, exitCode: number): string {
  const folder = empty();
  mkdirSync(join(folder, "bin"));
  const python = join(folder, "bin", "python");
  writeFileSync(python, `#!/bin/sh\nexit ${exitCode}\n`);
  chmodSync(python, 0o755);
  writeFileSync(join(folder, STAMP), `${stamp}\n`);
  return folder;
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

const quiet = () => vi.spyOn(process.stderr, "write").mockReturnValue(true);
const said = (spy: ReturnType<typeof quiet>) => spy.mock.calls.map(([text]) => String(text)).join("");

describe("the environment", () => {
  it("knows whether it is whole, absent, unfinished, outdated, broken or somebody else's", () => {
    expect(labState(made(wanted, 0))).toBe("whole");
    expect(labState(made(wanted, 1))).toBe("broken");
    expect(labState(made("unfinished", 0))).toBe("unfinished");
    expect(labState(made("0".repeat(64), 0))).toBe("outdated");
    expect(labState(empty())).toBe("absent");
    expect(labState(join(empty(), "nothing"))).toBe("absent");
    const other = empty();
    writeFileSync(join(other, "pyvenv.cfg"), "home = /usr/bin\n");
    expect(labState(other)).toBe("foreign");
  });

  it("touches no folder that it did not make", async () => {
    const folder = empty();
    writeFileSync(join(folder, "mine.txt"), "mine");
    await expect(ensureLab(true, folder)).rejects.toThrow(/did not make.*Move it away/);
    expect(readFileSync(join(folder, "mine.txt"), "utf8")).toBe("mine");
  });

  it("says what it would do and asks; without a terminal the answer is no", async () => {
    const spy = quiet();
    // the first use of an installed package: the user's cache folder is not there
    const folder = join(empty(), "cache", "atmorep", "venv");
    await expect(ensureLab(false, folder)).rejects.toThrow(/not downloaded.*--yes/);
    expect(said(spy)).toMatch(/About 100 MB.*pinned hash, into .*1 to 2 minutes/s);
    expect(said(spy)).toContain(folder);
    expect(existsSync(folder)).toBe(false);
  });

  it("names what is needed where there is no Python", async () => {
    vi.stubEnv("PATH", empty());
    await expect(ensureLab(true, join(empty(), "venv"))).rejects.toThrow(/no Python 3.10 or newer.*python3-venv/);
  });

  it("tells that a download failed, and begins anew at the next call", async () => {
    const bin = empty();
    // Answers the search for a Python, makes the environment, and fails as pip does without a network.
    const python =
      '#!/bin/sh\nif [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit 0; fi\nif [ "$2" = pip ]; then exit 1; fi\n';
    writeFileSync(join(bin, "python3"), python);
    chmodSync(join(bin, "python3"), 0o755);
    vi.stubEnv("PATH", `${bin}:${process.env.PATH}`);
    quiet();
    const folder = join(empty(), "venv");
    await expect(ensureLab(true, folder)).rejects.toMatchObject({
      code: "failed",
      message: expect.stringMatching(/downloading JupyterLab failed; found exit code 1.*network.*begins anew/),
    });
    expect(labState(folder)).toBe("unfinished");
  });

  it("keeps Jupyter's own files inside the checkout", () => {
    const variables = labVariables();
    for (const name of ["CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"]) {
      expect(variables[`JUPYTER_${name}`]).toContain(join(ROOT, ".venv"));
    }
    expect(variables.JUPYTER_PATH).toContain(join(ROOT, "assets", "kernelspec"));
  });
});

describe("kernel install", () => {
  it("writes a kernelspec below a prefix and refuses two places", async () => {
    const prefix = empty();
    expect(await runCli("kernel", "install", "--prefix", prefix)).toMatchObject({ code: 0 });
    const spec = JSON.parse(readFileSync(join(prefix, "share/jupyter/kernels/atmorep/kernel.json"), "utf8"));
    expect(spec).toMatchObject({ language: "typescript", interrupt_mode: "message" });
    expect(spec.argv[0]).toBe(process.execPath);
    expect(existsSync(spec.argv.find((argument: string) => argument.endsWith("kernel.js")))).toBe(true);
    const { code, stderr } = await runCli("kernel", "install", "--user", "--sys-prefix");
    expect(code).toBe(2);
    expect(stderr).toContain("one of --user, --sys-prefix, --prefix");
  });

  it("says where it could not write", async () => {
    const file = join(empty(), "file");
    writeFileSync(file, "");
    const { code, stderr } = await runCli("kernel", "install", "--prefix", file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot write.*file.*--prefix/);
  });
});

describe.skipIf(process.platform !== "linux")("two first calls at once", () => {
  it("one makes the environment, the other waits for it and takes what it made; one that is killed is not waited for", async () => {
    const folder = join(empty(), "venv");
    const bin = empty();
    const log = join(bin, "log");
    // A Python that is slow, and makes what the real one makes: itself.
    writeFileSync(
      join(bin, "python3"),
      `#!/bin/sh\nif [ "$2" = venv ]; then echo venv >> ${log}; sleep 1; mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi\nif [ "$2" = pip ]; then echo pip >> ${log}; fi\nexit 0\n`,
    );
    chmodSync(join(bin, "python3"), 0o755);
    const script = `import { ensureLab, labState } from ${JSON.stringify(join(ROOT, "dist/cli/lab/environment.js"))};
      await ensureLab(true, ${JSON.stringify(folder)});
      console.log(labState(${JSON.stringify(folder)}));`;
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const call = () => runProgram(process.execPath, ["--input-type=module", "-e", script], ROOT, env);
    const killed = spawn(process.execPath, ["--input-type=module", "-e", script], { env, stdio: "ignore" });
    while (!existsSync(log)) await new Promise((resolve) => setTimeout(resolve, 20));
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(labState(folder)).toBe("unfinished");
    const both = await Promise.all([call(), call()]);
    expect(
      both.map(({ code, stdout }) => `${code} ${stdout.trim()}`),
      both.map(({ stderr }) => stderr).join(),
    ).toEqual(["0 whole", "0 whole"]);
    expect(readFileSync(log, "utf8")).toBe("venv\nvenv\npip\n");
    expect(existsSync(`${folder}.lock`)).toBe(false);
  });
});
