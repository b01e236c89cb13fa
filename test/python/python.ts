/** Running a piece of Python that prints one JSON value. */
import { execFileSync } from "node:child_process";

export const PYTHON = process.env.ATMOREP_TEST_PYTHON ?? "python3";
/** A Python with zarr 3 and xarray, where the first one has zarr 2. */
export const PYTHON_ZARR3 = process.env.ATMOREP_TEST_PYTHON_ZARR3 ?? PYTHON;

/** `args` are the script's `sys.argv[1:]`. @throws if Python fails: its error is the message */
export function python(script: string, ...args: string[]): unknown {
  return pythonOf(PYTHON, script, ...args);
}

/** The same with the interpreter `program`. */
export function pythonOf(program: string, script: string, ...args: string[]): unknown {
  const output = execFileSync(program, ["-W", "ignore", "-c", script, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return JSON.parse(output);
}
