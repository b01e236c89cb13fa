/** What `atmorep verify` runs: one runner per kind of golden case. */
import type { SafeTensor } from "../formats/safetensors.js";

export interface GoldenCase {
  /** folder name, such as `net_dense`; its kind is the part before the first `_` */
  name: string;
  dir: string;
  /** the reference's configuration as it stands in the manifest (may be absent, e.g. `lr_schedule`) */
  config: Record<string, unknown>;
  values: Record<string, unknown>;
  tensors: Map<string, SafeTensor>;
  /** path of the input store of this golden folder (a directory, or a zip beside it) */
  storePath: string;
}

/** The outcome of one comparison; `error / tolerance` above 1 is a failure. */
export interface Comparison {
  tensor: string;
  ok: boolean;
  /** largest absolute difference */
  maxError: number;
  /** largest |a-b| / tolerance(b) over the elements */
  ratio: number;
  /** index of the worst element, or a sentence for what is not a tensor */
  detail?: string;
}

export interface VerifyOptions {
  engine: "auto" | "native" | "wasm";
}

/** Runs one case and returns every comparison it made; an empty list counts as a failure. */
export type KindRunner = (golden: GoldenCase, options: VerifyOptions) => Promise<Comparison[]>;
