/**
 * Roll-out: a forecast becomes part of what the network sees, and the next cube, moved on by the forecast's length, is
 * forecast in its turn. Each member is fed its own forecast, and so is each baseline. Fields that are never hidden
 * (static, or of rate 0) keep their true values.
 */

import { readyBatch } from "../batches/ready.js";
import type { RunConfig } from "../config/types.js";
import { readCube } from "../data/cube.js";
import type { CubeBatch, Draw, FieldCube } from "../data/types.js";
import { AtmorepError } from "../errors.js";
import { isUnmasked } from "../masking/choice.js";
import { createMaskGenerators, getStrategy, type MaskedBatch, maskBatch } from "../masking/index.js";
import type { Params } from "../model/types.js";
import { type PassContext, predictReady } from "../prediction/pass.js";
import { type BaselineParams, baselinePredictions } from "../scores/index.js";
import { targetTokens } from "../scores/layout.js";

/** One cube of a roll-out, in order; the truth beside what was forecast. */
export interface RolledCube {
  cube: CubeBatch;
  masked: MaskedBatch;
  /** per predicted field: mean [M, D], members [M, E, D], baselines by name */
  predictions: { mean: Float32Array; ens: Float32Array; baselines: Record<string, Float32Array> }[];
  /** time steps of the roll-out before this cube's forecast */
  leadOffset: number;
}

/**
 * Time steps of a cube that a forecast covers, which is also how far the next cube is moved on.
 * @throws AtmorepError `usage` if the configuration cannot be rolled out
 */
export function forecastSteps({
  config,
  fields,
  predicted,
}: Pick<PassContext, "config" | "fields" | "predicted">): number {
  const fault = (what: string, found: unknown, fix: string) =>
    new AtmorepError("usage", what, { where: "--rollout", found, fix });
  if (!getStrategy(config.BERT_strategy).forecasts) {
    throw fault("only a forecast can be fed back", config.BERT_strategy, "Choose --mode forecast.");
  }
  const hidden = fields.filter((field) => !isUnmasked(field));
  const unknown = hidden.filter((field) => !predicted.some((entry) => entry.field.index === field.index));
  if (unknown.length > 0) {
    const names = unknown.map(({ name }) => name).join(", ");
    throw fault(
      "fields that are hidden but not predicted have no values to feed back",
      names,
      "Predict every hidden field.",
    );
  }
  const steps = [...new Set(hidden.map(({ tokenSize }) => tokenSize[0] * config.forecast_num_tokens))];
  if (steps.length === 1) return steps[0];
  throw fault(
    "the fields' forecasts differ in length",
    `${steps.join(", ")} steps`,
    "Give the fields tokens of one length in time.",
  );
}

/** A field's values as one predictor has them: truth where it was visible at the start, else what it forecast. */
interface FedField {
  tokens: Float32Array;
  valid: Uint8Array | null;
}

/** The cubes of a roll-out of `count` cubes from one draw. */
export async function* rollout(
  context: PassContext,
  params: Params,
  draw: Draw,
  count: number,
  baselineParams: BaselineParams,
): AsyncGenerator<RolledCube> {
  const { config, store, fields, predicted, model } = context;
  const shift = forecastSteps(context);
  const E = model.spec.config.net_tail_num_nets;
  const members: FedField[][] = [];
  let fedBaselines = new Map<string, FedField[]>();
  for (let c = 0; c < count; c++) {
    const timeIndex = draw.timeIndex + c * shift * config.time_sampling;
    const cube = await readCube(store, config, { ...draw, timeIndex });
    const masked = maskOf(context, cube);
    const ens = masked.fields.map(({ target }) => new Float32Array(target.length * E));
    // the first cube is the same for all members: one pass gives them all
    for (let e = 0; e < (c === 0 ? 1 : E); e++) {
      const seen = c === 0 ? cube : fedCube(context, cube, members[e]);
      const { predictions } = await predictReady(
        context,
        params,
        readyBatch(context, seen, generatorsOf(context)),
        true,
      );
      for (const [p, { ens: own, D }] of predictions.entries()) {
        const f = predicted[p].field.index;
        if (c === 0) ens[f].set(own!);
        else copyMember(own!, ens[f], e, E, D);
      }
    }
    const means = masked.fields.map(({ D }, f) => meanOfMembers(ens[f], E, D));
    for (let e = 0; e < E; e++) {
      const seen = c === 0 ? cube.fields : fedCube(context, cube, members[e]).fields;
      members[e] = feed(context, seen, masked, (f) => memberOf(ens[f], e, E, fields[f].D));
    }
    const baselines = baselinesOf(context, cube, fedBaselines, masked, baselineParams, c === 0);
    fedBaselines = new Map(
      [...baselines].map(([name, { seen, values }]) => [name, feed(context, seen.fields, masked, (f) => values[f])]),
    );
    yield {
      cube,
      masked,
      leadOffset: c * shift,
      predictions: predicted.map(({ field: { index } }) => ({
        mean: means[index],
        ens: ens[index],
        baselines: Object.fromEntries([...baselines].map(([name, { values }]) => [name, values[index]])),
      })),
    };
  }
}

const generatorsOf = ({ config, fields }: PassContext) => createMaskGenerators(config, fields, config.rng_seed ?? 0);
const maskOf = (context: PassContext, cube: CubeBatch) =>
  maskBatch(cube, context.fields, context.config, generatorsOf(context));

/** The true cube with what a predictor has of its visible part: its former values, moved on by the forecast. */
function fedCube({ config, fields }: PassContext, cube: CubeBatch, fed: readonly FedField[]): CubeBatch {
  return {
    ...cube,
    fields: cube.fields.map((own, f): FieldCube => {
      if (isUnmasked(fields[f])) return own;
      const tokens = movedOn(own.tokens, fed[f].tokens, own.shape, config);
      const { valid } = fed[f];
      const none = () => new Uint8Array(own.tokens.length).fill(1);
      const marks = valid || own.valid ? movedOn(own.valid ?? none(), valid ?? none(), own.shape, config) : null;
      return { ...own, tokens, valid: marks };
    }),
  };
}

/** `now` [L, B, nt, ...] with all but its last time tokens taken from `former`, so many tokens later. */
function movedOn<T extends Float32Array | Uint8Array>(
  now: T,
  former: T,
  [L, B, nt, ny, nx, tt, ty, tx]: FieldCube["shape"],
  { forecast_num_tokens: k }: Pick<RunConfig, "forecast_num_tokens">,
): T {
  const slab = ny * nx * tt * ty * tx;
  const out = now.slice() as T;
  for (let i = 0; i < L * B; i++) {
    const first = i * nt * slab;
    out.set(former.subarray(first + k * slab, first + nt * slab), first);
  }
  return out;
}

/** What a predictor sees, with its forecasts in the hidden places. */
function feed(
  { fields }: PassContext,
  seen: readonly FieldCube[],
  { fields: masked }: MaskedBatch,
  forecast: (f: number) => Float32Array,
): FedField[] {
  return seen.map((cube, f) => {
    if (isUnmasked(fields[f])) return { tokens: cube.tokens, valid: cube.valid };
    const { N, D, B } = masked[f];
    const tokens = cube.tokens.slice();
    const valid = cube.valid?.slice() ?? null;
    const values = forecast(f);
    for (const { m, l, b, n } of targetTokens(masked[f])) {
      const to = ((l * B + b) * N + n) * D;
      tokens.set(values.subarray(m * D, (m + 1) * D), to);
      valid?.fill(1, to, to + D);
    }
    return { tokens, valid };
  });
}

function baselinesOf(
  context: PassContext,
  cube: CubeBatch,
  fed: ReadonlyMap<string, FedField[]>,
  masked: MaskedBatch,
  params: BaselineParams,
  first: boolean,
): Map<string, { seen: CubeBatch; values: Float32Array[] }> {
  const { config, fields } = context;
  const of = (seen: CubeBatch) =>
    fields.map(({ name }) => baselinePredictions(config.BERT_strategy, seen, masked, name, params));
  const start = of(cube);
  return new Map(
    Object.keys(start[0]).map((name) => {
      const seen = first ? cube : fedCube(context, cube, fed.get(name)!);
      const values = (first ? start : of(seen)).map((byName) => byName[name]);
      return [name, { seen, values }];
    }),
  );
}

/** Member e of [M, E, D] as [M, D]. */
function memberOf(ens: Float32Array, e: number, E: number, D: number): Float32Array {
  const out = new Float32Array(ens.length / E);
  for (let m = 0; m * D < out.length; m++) out.set(ens.subarray((m * E + e) * D, (m * E + e + 1) * D), m * D);
  return out;
}

function copyMember(from: Float32Array, to: Float32Array, e: number, E: number, D: number): void {
  for (let at = e * D; at < to.length; at += E * D) to.set(from.subarray(at, at + D), at);
}

function meanOfMembers(ens: Float32Array, E: number, D: number): Float32Array {
  const out = new Float32Array(ens.length / E);
  for (let i = 0; i < out.length; i++) {
    const first = Math.floor(i / D) * E * D + (i % D);
    let sum = 0;
    for (let e = 0; e < E; e++) sum += ens[first + e * D];
    out[i] = sum / E;
  }
  return out;
}
