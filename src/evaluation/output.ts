/** What an evaluation writes batch by batch: per-sample stores, global grids, and spectra where rows go around. */
import type { ReadyBatch } from "../batches/ready.js";
import { getStrategy } from "../masking/index.js";
import type { Params } from "../model/types.js";
import type { PassContext } from "../prediction/pass.js";
import { type GlobalField, GlobalGrid, type TileForecast } from "../results/globalGrid.js";
import { openAttentionWriter, openResultsWriter } from "../results/openWriters.js";
import { type GlobalKind, resultPath } from "../results/paths.js";
import { Physical } from "../results/physical.js";
import { continued, forecastArrays } from "../results/resultArrays.js";
import { storeNormalization } from "../results/storeNormalization.js";
import type { AttentionWriter } from "../results/writeAttention.js";
import type { ResultBatch, ResultsWriter } from "../results/writeResults.js";
import type { RunFolder } from "../runs/folder.js";
import type { DrawPlan } from "./draws.js";
import type { Spectra } from "./spectra.js";

interface Place {
  folder: RunFolder;
  epoch: number;
  stores: boolean;
}

export class EvaluationOutput {
  private constructor(
    private readonly context: PassContext,
    private readonly results: ResultsWriter | null,
    private readonly global: GlobalGrid | null,
    private readonly attention: AttentionWriter | null,
    private readonly spectra: Spectra,
    /** samples are whole circles of latitude, forecast at every point */
    private readonly circles: boolean,
  ) {}

  static async open(context: PassContext, plan: DrawPlan, { folder, epoch, stores }: Place, spectra: Spectra) {
    const { config, store } = context;
    const path = (kind: GlobalKind) => resultPath(folder.resultsDir, folder.id, epoch, `global_${kind}`);
    const results = stores ? await openResultsWriter(context, { folder, epoch }) : null;
    let global: GlobalGrid | null = null;
    try {
      global = plan.tiling ? await GlobalGrid.open(store, plan.tiling, stores ? path : null) : null;
      const whole = config.n_size[2] / store.res[1] >= store.lons.length - 0.5;
      const forecasts = getStrategy(config.BERT_strategy).forecasts === true;
      const circles = !plan.tiling && store.isGlobal && whole && forecasts;
      const maps = stores && config.attention;
      const attention = maps ? await openAttentionWriter(context, { folder, epoch }) : null;
      return new EvaluationOutput(context, results, global, attention, spectra, circles);
    } catch (error) {
      await global?.abort();
      await results?.abort();
      throw error;
    }
  }

  async append(batch: ResultBatch): Promise<void> {
    await this.results?.append(batch);
    if (this.global || this.circles) await this.addForecasts([batch, ...(batch.following ?? [])]);
  }

  /** Adds the attention maps of a batch, where the configuration asks for them. */
  async appendAttention(params: Params, { cube, plain }: Pick<ReadyBatch, "cube" | "plain">): Promise<void> {
    await this.attention?.append(params, { windows: cube.windows, plain });
  }

  /** Forecasts of every sample as grids in physical units, those of a roll-out joined: to the globe, or to the spectra. */
  private async addForecasts(cubes: readonly ResultBatch[]): Promise<void> {
    const { config, store, predicted } = this.context;
    const lookup = storeNormalization(store);
    const physicals = await Promise.all(
      predicted.map(({ field }) => Promise.all(cubes.map(({ windows }) => Physical.of(field, windows, store, lookup)))),
    );
    for (let b = 0; b < cubes[0].windows.length; b++) {
      const forecasts: TileForecast[] = [];
      for (const [p, { field }] of predicted.entries()) {
        if (cubes[0].fields[field.index].target.length === 0) continue;
        const joined = (values: (cube: ResultBatch) => Float32Array) =>
          continued(
            cubes.map((cube, c) =>
              forecastArrays(
                physicals[p][c],
                cube.fields[field.index],
                b,
                values(cube),
                null,
                config.forecast_num_tokens,
              ),
            ),
          );
        const pred = joined(({ predictions }) => predictions[p].mean);
        const target = joined(({ fields }) => fields[field.index].target);
        const data = { pred: pred.data.data as Float32Array, target: target.data.data as Float32Array };
        const datetime = pred.datetime.data as BigInt64Array;
        if (this.global) forecasts.push({ field, data, datetime });
        else this.addSpectra({ field, datetime, grid: data }, Array.from(pred.lat.data as Float32Array));
      }
      const finished = await this.global?.add(forecasts);
      for (const field of finished ?? [])
        this.addSpectra(
          field,
          Array.from(store.lats, (lat) => 90 - lat),
        );
    }
  }

  private addSpectra({ field, datetime, grid }: GlobalField, latitudes: number[]): void {
    const longitudes = this.context.store.lons;
    const plane = latitudes.length * longitudes.length;
    for (const [l, level] of field.levels.entries()) {
      for (let step = 0; step < datetime.length; step++) {
        const at = (l * datetime.length + step) * plane;
        const [model, target] = [grid.pred, grid.target].map((values) => values.subarray(at, at + plane));
        this.spectra.add({ field: field.name, level, lead: step + 1, model, target, latitudes, longitudes });
      }
    }
  }

  /** @returns paths of the stores */
  async close(): Promise<string[]> {
    const files = (await this.results?.close()) ?? [];
    const grids = (await this.global?.close()) ?? [];
    const maps = await this.attention?.close();
    return [...files, ...grids, ...(maps ? [maps] : [])];
  }

  async abort(): Promise<void> {
    await this.results?.abort();
    await this.global?.abort();
    await this.attention?.abort();
  }
}
