/** Batches at every stage: prepared, before masking, masked, as the network takes them. */
import type { PlainBatch } from "../../batches/plain.js";
import type { Prepared } from "../../batches/prepare.js";
import { formatTime } from "../../data/time.js";
import { tokenLayout, untokenize } from "../../data/tokens.js";
import type { CubeBatch, FieldCube } from "../../data/types.js";
import { type MaskedBatch, type MaskedField, TOKEN_KIND } from "../../masking/index.js";
import { formatNumber, levelTitle } from "../figure/text.js";
import type { ColorScale } from "../figure/types.js";
import { batchGrids } from "../grids.js";
import { valueColors } from "../views/maps.js";
import { type Entry, type Picture, type Summary, shapeText } from "./entry.js";
import { statisticsOf, statisticsText } from "./statistics.js";

const NORMALISED = "standard deviations";

/** Red and blue, white at 0. */
function diverging(values: ArrayLike<number>): ColorScale {
  const { min, max } = statisticsOf(values);
  const most = Math.max(Math.abs(min), Math.abs(max)) || 1;
  return { palette: "RdBu", range: [-most, most], label: "", unit: "" };
}

export function cubeSummary({ windows, fields }: CubeBatch): Summary {
  const { time, lat, lon } = windows[0];
  return {
    title: `Batch of ${windows.length} samples before masking`,
    lines: [`${time.length} times of ${lat.length} x ${lon.length} points a sample`],
    entries: fields.map(cubeEntry),
  };
}

function cubeEntry({ name, tokens, shape, valid }: FieldCube): Entry {
  return {
    name,
    shape: shapeText(["L", "B", "nt", "ny", "nx", "tt", "ty", "tx"], shape),
    unit: NORMALISED,
    lines: [statisticsText(statisticsOf(tokens, valid))],
    pictures: [lastPlane(tokens, shape)],
  };
}

/** The last time of the first sample and level. */
function lastPlane(tokens: Float32Array, [, , nt, ny, nx, tt, ty, tx]: FieldCube["shape"]): Picture {
  const [rows, columns] = [ny * ty, nx * tx];
  const values = untokenize(tokens.subarray(0, nt * rows * columns * tt), tokenLayout([nt, ny, nx], [tt, ty, tx]));
  const plane = values.subarray(values.length - rows * columns);
  return { alt: "sample 0, last time", values: plane, rows, columns, colors: diverging(plane) };
}

export function maskedSummary({ fields }: MaskedBatch): Summary {
  return { title: `Masked batch of ${fields[0].B} samples`, lines: [], entries: fields.map(maskedEntry) };
}

function maskedEntry({ name, B, L, N, D, source, target, kind }: MaskedField): Entry {
  return {
    name,
    shape: shapeText(["B", "L", "N", "D"], [B, L, N, D]),
    unit: NORMALISED,
    lines: [
      `${hiddenText(target.length / D, B * L * N)}: ${kindsText(kind)}`,
      `seen     ${statisticsText(statisticsOf(source))}`,
      `targets  [M, D] = [${target.length / D}, ${D}], ${statisticsText(statisticsOf(target))}`,
    ],
  };
}

const hiddenText = (hidden: number, all: number) =>
  `${hidden} of ${all} tokens chosen (${formatNumber((100 * hidden) / all)} %)`;

function kindsText(kinds: readonly Uint8Array[]): string {
  const count = (bit: number) =>
    kinds.reduce((sum, level) => sum + level.filter((kind) => (kind & bit) !== 0).length, 0);
  return (["masked", "noised", "coarsened"] as const).map((name) => `${count(TOKEN_KIND[name])} ${name}`).join(", ");
}

export function plainSummary({ samples, inputs, targets }: PlainBatch): Summary {
  return {
    title: `Batch of ${samples} samples as the network takes it`,
    lines: [],
    entries: [
      ...inputs.map(({ shape, tokens }, f) => ({
        name: `input ${f}`,
        shape: shapeText(["B", "L", "N", "D"], shape),
        unit: NORMALISED,
        lines: [statisticsText(statisticsOf(tokens))],
      })),
      ...targets.map(({ name, M, D, target, valid }) => ({
        name: `target ${name}`,
        shape: shapeText(["M", "D"], [M, D]),
        unit: NORMALISED,
        lines: [statisticsText(statisticsOf(target, valid))],
      })),
    ],
  };
}

/** The values in the units people read, beside what the network sees of them. */
export async function preparedSummary(prepared: Prepared): Promise<Summary> {
  const { config, store, fields, cube, masked, place } = prepared;
  const { time } = cube.windows[0];
  const entries = fields.map(async (field, f): Promise<Entry> => {
    const choice = { field: field.name, level: field.levels[0] };
    const [truth, seen] = await Promise.all([batchGrids(prepared, choice), batchGrids(prepared, choice, "seen")]);
    const [last, shown] = [truth, seen].map((grids) => grids[grids.length - 1]);
    const colors: ColorScale = { ...valueColors(last.unit, last.values), label: "", unit: last.unit };
    const picture = (alt: string, { values, lats, lons, hidden }: typeof last): Picture => ({
      alt: `${alt}, ${levelTitle(last.level)}, ${last.time} UTC`,
      values,
      hidden,
      rows: lats.length,
      columns: lons.length,
      colors,
    });
    const { B, L, N, D, target, kind } = masked.fields[f];
    const all = truth.flatMap(({ values }) => [...values]);
    return {
      name: field.name,
      shape: shapeText(["B", "L", "N", "D"], [B, L, N, D]),
      unit: last.unit || "as stored",
      lines: [
        `levels ${field.levels.map(levelTitle).join(", ")}; tokens [nt, ny, nx] = [${field.numTokens.join(", ")}] of [tt, ty, tx] = [${field.tokenSize.join(", ")}] points`,
        `sample 0: ${statisticsText(statisticsOf(all))}`,
        `${hiddenText(target.length / D, B * L * N)}: ${kindsText(kind)}`,
      ],
      pictures: [picture("true", last), picture("seen", shown)],
    };
  });
  return {
    title: `Batch ${place.batch} of ${place.split}, ${cube.windows.length} samples, strategy ${config.BERT_strategy}`,
    lines: [`times ${formatTime(store.times[time[0]])} to ${formatTime(store.times[time[time.length - 1]])} UTC`],
    entries: await Promise.all(entries),
  };
}
