/** Reading what other programs print. */

/** Vector units that matter for the speed of matrix products. */
const FEATURES = ["sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve"];

/** Model and vector units from the text of `/proc/cpuinfo` (x86 `flags`, ARM `Features`). */
export function cpuFeatures(text: string): { model: string; features: string[] } {
  const line = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(text)?.[1].trim() ?? "";
  const flags = new Set(`${line("flags")} ${line("Features")}`.split(/\s+/));
  return { model: line("model name"), features: FEATURES.filter((name) => flags.has(name)) };
}

/** Names of the kernels in the output of `jupyter kernelspec list --json`. */
export function jupyterKernels(json: string): string[] {
  try {
    return Object.keys((JSON.parse(json) as { kernelspecs?: object }).kernelspecs ?? {}).sort();
  } catch {
    return [];
  }
}

/** Plugins in the output of `srun --mpi=list`: one name a line after a heading. */
export function mpiPlugins(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^[a-z0-9_]+$/.test(line));
}

/** Bytes for people, such as `3.4 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
