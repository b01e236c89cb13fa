/** Downloading wheels with pip, which checks them against the index's checksums. */
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { AtmorepError } from "../../errors.js";
import { sha256Of } from "./digest.js";
import type { Download } from "./parts.js";

/** Python whose wheels are taken; the libraries do not depend on it, and no Python of that version is needed. */
const WHEEL_PYTHON = "3.11";

/**
 * Downloads wheels into a folder.
 * @throws AtmorepError `failed` if pip does not work, or gives a wheel that is not the one that was tested
 */
export async function downloadWheels(
  { requirement, sha256 }: Download,
  folder: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const only = ["--only-binary=:all:", "--python-version", WHEEL_PYTHON, "--no-deps"];
  const command = [
    "-m",
    "pip",
    "download",
    "--disable-pip-version-check",
    ...only,
    "--dest",
    folder,
    ...requirement.split(" "),
  ];
  try {
    await promisify(execFile)("python3", command, { maxBuffer: 1 << 26, signal });
  } catch (error) {
    signal?.throwIfAborted();
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new AtmorepError("failed", `pip could not download ${requirement}`, {
      found: (stderr || message).trim().split("\n").slice(-3).join(" "),
      fix: "Check that python3 -m pip works and reaches a package index; or give a wheel: engine install --wheel FILE.",
    });
  }
  const wheels = (await readdir(folder)).map((file) => join(folder, file));
  for (const wheel of wheels) await verify(wheel, sha256);
  return wheels;
}

async function verify(wheel: string, expected: readonly string[]): Promise<void> {
  const found = await sha256Of(wheel, "hex");
  if (expected.includes(found)) return;
  throw new AtmorepError("failed", "the wheel is not the one that was tested", {
    where: basename(wheel),
    found: `SHA-256 ${found}`,
    expected: expected.join(" or "),
    fix: "Check the package index; a wheel you trust is unpacked by: engine install --wheel FILE.",
  });
}
