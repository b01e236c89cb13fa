import { describe, expect, it } from "vitest";
import { atmorep } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";

describe("commands that work in one process, under mpirun or srun", () => {
  const env = { ...process.env, OMPI_COMM_WORLD_SIZE: "2" };

  it.each([
    [["evaluate", "--results", "results/idabcd1234"], "atmorep evaluate works in one process"],
    [["data", "info", "x.zarr"], "atmorep data info works in one process"],
    [["data", "finalise", "x.zarr"], "2 processes"],
    [["bench", "prepare"], "atmorep bench prepare works in one process"],
    [["runs"], "Start one"],
  ])("%j is refused", async (args, text) => {
    const { code, stderr } = await atmorep(args, tempDir(), env);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });

  it("one process under mpirun, help, and parts are not", async () => {
    const alone = await atmorep(["runs"], tempDir(), { ...env, OMPI_COMM_WORLD_SIZE: "1" });
    expect(alone.code, alone.stderr).toBe(0);
    const help = await atmorep(["evaluate", "--help"], tempDir(), env);
    expect(help.code).toBe(0);
    const part = await atmorep(["data", "import", "missing.nc", "--out", "y.zarr", "--part", "1/2"], tempDir(), env);
    expect(part.stderr).toMatch(/missing\.nc/);
  });
});
