/** What the library asks of the processor: it ends the process where an instruction set it was built with is missing. */
import { readFileSync } from "node:fs";

/** Why this processor cannot run the library, or null. Only Linux on x64 is looked at; all others have what is needed. */
export function missingInstructions(
  cpuinfo: string = readCpuinfo(),
  { platform, arch }: { platform: string; arch: string } = process,
): string | null {
  if (platform !== "linux" || arch !== "x64") return null;
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1].trim().split(/\s+/);
  if (!flags || flags.includes("avx")) return null;
  return "TensorFlow's library needs a processor with AVX instructions, which this one does not have";
}

function readCpuinfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}
