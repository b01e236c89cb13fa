/**
 * Validation output: the four Zarr zip stores `results_id<ID>_epoch<00000>_{source,target,pred,ens}.zarr`
 * (docs/files.md), in physical units, written batch by batch and put in their place together at the end.
 */
import type { Field, PredictedField, Strategy } from "../config/types.js";
import type { Window } from "../data/types.js";
import { ZarrZipWriter } from "../formats/zarrZip.js";
import { getStrategy } from "../masking/registry.js";
import type { MaskedField } from "../masking/types.js";
import { fiveDigits, RESULT_KINDS, type ResultKind, resultPath } from "./paths.js";
import { type NormalizationLookup, Physical, type StoreAxes } from "./physical.js";
import { continued, forecastArrays, sourceArrays, tokenArrays } from "./resultArrays.js";

export interface ResultsSetup {
  /** `results/id<ID>` */
  dir: string;
  runId: string;
  epoch: number;
  strategy: Strategy;
  /** time tokens of a forecast, `forecast_num_tokens` */
  forecastTokens: number;
  fields: readonly Field[];
  predicted: readonly PredictedField[];
  /** axes of the input store */
  axes: StoreAxes;
  normalization: NormalizationLookup;
}

/** What validation saw and predicted in one batch. */
export interface ResultBatch {
  /** [B] */
  windows: readonly Window[];
  /** one entry per field, masked; target [M, D] normalised */
  fields: readonly MaskedField[];
  /** one entry per predicted field, normalised: mean [M, D], members [M, E, D] */
  predictions: readonly { mean: Float32Array; ens: Float32Array }[];
  /** of a roll-out: the cubes that follow, whose forecasts continue those of this one */
  following?: readonly Omit<ResultBatch, "following">[];
}

/** One field of one cube. */
interface Part {
  physical: Physical;
  masked: MaskedField;
  values: { mean: Float32Array; ens: Float32Array };
}

/**
 * Writes the stores of one validation. Samples are numbered in the order of `append`. Fields without masked tokens
 * (static, or of rate 0) have a source only.
 *
 * @example
 * const results = await ResultsWriter.open(setup);
 * for (const batch of batches) await results.append(batch);
 * const paths = await results.close();
 */
export class ResultsWriter {
  private samples = 0;

  private constructor(
    private readonly setup: ResultsSetup,
    private readonly stores: Record<ResultKind, ZarrZipWriter>,
  ) {}

  static async open(setup: ResultsSetup): Promise<ResultsWriter> {
    const opened: Partial<Record<ResultKind, ZarrZipWriter>> = {};
    try {
      for (const kind of RESULT_KINDS) {
        opened[kind] = await ZarrZipWriter.create(resultPath(setup.dir, setup.runId, setup.epoch, kind));
      }
    } catch (error) {
      for (const store of Object.values(opened)) await store.abort();
      throw error;
    }
    return new ResultsWriter(setup, opened as Record<ResultKind, ZarrZipWriter>);
  }

  /** Adds the samples of one batch. */
  async append({ windows, fields, predictions, following = [] }: ResultBatch): Promise<void> {
    const { setup } = this;
    for (const [f, field] of setup.fields.entries()) {
      const physical = await Physical.of(field, windows, setup.axes, setup.normalization);
      const p = setup.predicted.findIndex((predicted) => predicted.field.index === field.index);
      for (let b = 0; b < windows.length; b++) {
        const group = `${field.name}/sample=${fiveDigits(this.samples + b)}`;
        await this.stores.source.arrays(group, sourceArrays(physical, fields[f], b));
        if (p < 0) continue;
        const parts: Part[] = [{ physical, masked: fields[f], values: predictions[p] }];
        for (const next of following) {
          const later = await Physical.of(field, next.windows, setup.axes, setup.normalization);
          parts.push({ physical: later, masked: next.fields[f], values: next.predictions[p] });
        }
        await this.appendPredicted(group, parts, b);
      }
    }
    for (const { name } of setup.fields) {
      for (let b = 0; b < windows.length; b++) {
        for (const store of Object.values(this.stores)) store.forget(`${name}/sample=${fiveDigits(this.samples + b)}`);
      }
    }
    this.samples += windows.length;
  }

  private async appendPredicted(group: string, parts: readonly Part[], b: number): Promise<void> {
    const [{ physical, masked, values: first }] = parts;
    const rows = masked.idx.reduce((sum, idx) => sum + idx.length, 0);
    if (rows === 0) return;
    const members = first.ens.length / (rows * masked.D);
    for (const kind of ["target", "pred", "ens"] as const) {
      const E = kind === "ens" ? members : null;
      const of = ({ masked, values }: Part) => ({ target: masked.target, pred: values.mean, ens: values.ens })[kind];
      if (getStrategy(this.setup.strategy).forecasts) {
        const arrays = parts.map((part) =>
          forecastArrays(part.physical, part.masked, b, of(part), E, this.setup.forecastTokens),
        );
        await this.stores[kind].arrays(group, continued(arrays));
        continue;
      }
      for (let l = 0; l < masked.L; l++) {
        const arrays = tokenArrays(physical, masked, b, l, of(parts[0]), E);
        if (arrays) await this.stores[kind].arrays(`${group}/ml=${fiveDigits(physical.field.levels[l])}`, arrays);
      }
    }
  }

  /** Puts the four stores in their place. @returns their paths */
  async close(): Promise<string[]> {
    for (const kind of RESULT_KINDS) await this.stores[kind].close();
    return RESULT_KINDS.map((kind) => this.stores[kind].path);
  }

  /** Gives the stores up; nothing stays behind. */
  async abort(): Promise<void> {
    for (const kind of RESULT_KINDS) await this.stores[kind].abort();
  }
}
