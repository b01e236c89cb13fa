/** `--chunks` and `--config` of the data commands that write stores. */

import type { Chunks } from "../../data/import/layout.js";
import type { ChosenChunks, Shapes } from "../../data/info/chooseChunks.js";
import { AtmorepError } from "../../errors.js";
import { namedConfig } from "./namedConfig.js";

export interface ChunkFlags {
  chunks?: string;
  config?: string;
}

/**
 * Null if nothing is asked for; a function where the shape depends on what is written.
 * @param note is told what was chosen
 */
export async function chosenChunks(
  { chunks, config }: ChunkFlags,
  note: (line: string) => void,
): Promise<Chunks | ((shapes: Shapes) => Chunks) | null> {
  if (chunks !== "auto" && config !== undefined) {
    throw new AtmorepError("usage", "a configuration says nothing without --chunks auto", {
      where: `--config ${config}`,
    });
  }
  if (chunks === undefined) return null;
  if (chunks !== "auto") {
    const { parseChunks } = await import("../../data/import/layout.js");
    return parseChunks(chunks);
  }
  if (config === undefined) {
    throw new AtmorepError("usage", "chunks are chosen for a configuration", {
      where: "--chunks auto",
      expected: "--config FILE or a preset",
    });
  }
  const { chooseChunks, chunksText } = await import("../../data/info/chooseChunks.js");
  const { config: resolved } = await namedConfig(config);
  return (shapes) => {
    const chosen: ChosenChunks = chooseChunks(resolved, shapes);
    note(chunksText(config, chosen));
    return chosen.chunks;
  };
}
