/** Every kind of golden case and the module that runs it, loaded when a case of that kind occurs. */
import type { KindRunner } from "./types.js";

export interface Kind {
  /** what its cases check */
  doc: string;
  load: () => Promise<KindRunner>;
}

/** Loads a kind's module and takes its one runner, whatever its name. */
async function only(file: string): Promise<KindRunner> {
  const module = (await import(`./kinds/${file}.js`)) as Record<string, unknown>;
  const runner = module.runner ?? module.default ?? Object.values(module).find((value) => typeof value === "function");
  return runner as KindRunner;
}

export const KINDS: Readonly<Record<string, Kind>> = {
  sampler: { doc: "times, places, windows, tokens and token infos of a batch", load: () => only("sampler") },
  mask: { doc: "masking strategies over successive batches", load: () => only("mask") },
  net: { doc: "network outputs from given parameters and inputs", load: () => only("net") },
  loss: { doc: "losses and their gradients", load: () => only("loss") },
  train: { doc: "three optimiser steps on one batch", load: () => only("train") },
  lr: { doc: "learning rate schedules", load: () => only("lr") },
  resample: { doc: "trilinear resampling of tokens", load: () => only("resample") },
  presets: { doc: "the presets that carry the reference's values", load: () => only("presets") },
  run: { doc: "files and validation output of a whole run", load: () => only("run") },
};
