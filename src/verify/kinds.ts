/** Every kind of golden case and the module that runs it, loaded when a case of that kind occurs. */
import type { KindRunner } from "./types.js";

export interface Kind {
  /** what its cases check */
  doc: string;
  load: () => Promise<KindRunner>;
}

export const KINDS: Readonly<Record<string, Kind>> = {
  sampler: {
    doc: "times, places, windows, tokens and token infos of a batch",
    load: () => import("./kinds/sampler.js").then((m) => m.runner),
  },
  mask: {
    doc: "masking strategies over successive batches",
    load: () => import("./kinds/mask.js").then((m) => m.runner),
  },
  net: {
    doc: "network outputs from given parameters and inputs",
    load: () => import("./kinds/net.js").then((m) => m.net),
  },
  loss: { doc: "losses and their gradients", load: () => import("./kinds/loss.js").then((m) => m.runner) },
  train: { doc: "three optimiser steps on one batch", load: () => import("./kinds/train.js").then((m) => m.runner) },
  lr: { doc: "learning rate schedules", load: () => import("./kinds/lr.js").then((m) => m.runner) },
  resample: { doc: "trilinear resampling of tokens", load: () => import("./kinds/resample.js").then((m) => m.runner) },
  presets: {
    doc: "the presets that carry the reference's values",
    load: () => import("./kinds/presets.js").then((m) => m.runPresets),
  },
  run: {
    doc: "files and validation output of a whole run",
    load: () => import("./kinds/run.js").then((m) => m.runner),
  },
};
