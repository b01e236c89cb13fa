/** `--config` of commands that take a file or a preset by one name. */
import type { ResolvedConfig, ResolveOptions } from "../../config/resolve.js";

/** @param more overrides. @throws AtmorepError as `resolveConfig`, and (usage) if there is neither a preset nor a file of this name */
export async function namedConfig(name: string, more: ResolveOptions = {}): Promise<ResolvedConfig> {
  const [{ presets }, { locateConfig }, { resolveConfig }] = await Promise.all([
    import("../../config/presets.js"),
    import("../../config/locate.js"),
    import("../../config/resolve.js"),
  ]);
  const preset = presets().some((known) => known.name === name);
  return resolveConfig({ ...more, ...(preset ? { preset: name } : { file: locateConfig(name) }) });
}
