/**
 * Values of this package where they end a cell: what they are, in shapes, units, numbers and pictures, in place of all their digits. A
 * kernel that knows `Symbol.for("Jupyter.displayers")` asks for it.
 */
import type { PlainBatch } from "../../batches/plain.js";
import type { Prepared } from "../../batches/prepare.js";
import type { ResolvedConfig } from "../../config/resolve.js";
import type { RunConfig } from "../../config/types.js";
import type { Store } from "../../data/store.js";
import type { CubeBatch } from "../../data/types.js";
import type { MaskedBatch } from "../../masking/index.js";
import type { RunDetails } from "../../runs/list.js";
import type { MimeBundle } from "../figure/display.js";
import { tableHtml, tableText } from "../figure/table.js";
import { configTable } from "../tables.js";
import { cubeSummary, maskedSummary, plainSummary, preparedSummary } from "./batches.js";
import { summaryBundle } from "./entry.js";
import { runSummary } from "./run.js";
import { storeSummary } from "./store.js";

/** Says how a value is shown; undefined: not one that it knows. */
export type Displayer = (value: unknown) => MimeBundle | Promise<MimeBundle> | undefined;

const DISPLAYERS: unique symbol = Symbol.for("Jupyter.displayers") as never;

type Parts = Record<string, unknown>;

const isObject = (value: unknown): value is Parts => typeof value === "object" && value !== null;
const objectsOf = (value: unknown): Parts[] | null =>
  Array.isArray(value) && value.length > 0 && value.every(isObject) ? value : null;
const isConfig = (value: Parts): boolean =>
  Array.isArray(value.fields) && Array.isArray(value.n_size) && typeof value.BERT_strategy === "string";
const isCube = (value: Parts): boolean =>
  isObject(value.draw) &&
  objectsOf(value.windows) !== null &&
  objectsOf(value.fields)?.every(({ tokens, shape }) => tokens instanceof Float32Array && Array.isArray(shape)) ===
    true;
const isMasked = (value: Parts): boolean =>
  objectsOf(value.fields)?.every(({ source, kind }) => source instanceof Float32Array && Array.isArray(kind)) === true;
const isStore = (value: Parts): boolean =>
  value.times instanceof BigInt64Array && Array.isArray(value.fieldsSfc) && isObject(value.arrays);
const isRun = (value: Parts): boolean =>
  Array.isArray(value.metrics) &&
  isObject(value.files) &&
  typeof value.id === "string" &&
  typeof value.status === "string";
const isPlain = (value: Parts): boolean =>
  typeof value.samples === "number" && objectsOf(value.inputs) !== null && Array.isArray(value.targets);

/** Knows configurations, stores, batches and runs, by their form. */
export const displayValue: Displayer = (value) => {
  if (!isObject(value) || ArrayBuffer.isView(value)) return undefined;
  if (isObject(value.config) && isConfig(value.config)) {
    if (isObject(value.origins)) return configBundle(value as unknown as ResolvedConfig);
    if (isObject(value.cube) && isObject(value.masked) && isObject(value.store)) {
      return preparedSummary(value as unknown as Prepared).then(summaryBundle);
    }
  }
  if (isStore(value)) return storeSummary(value as unknown as Store).then(summaryBundle);
  if (isRun(value)) return summaryBundle(runSummary(value as unknown as RunDetails));
  if (isConfig(value)) return configBundle(value as unknown as RunConfig);
  if (isCube(value)) return summaryBundle(cubeSummary(value as unknown as CubeBatch));
  if (isMasked(value)) return summaryBundle(maskedSummary(value as unknown as MaskedBatch));
  if (isPlain(value)) return summaryBundle(plainSummary(value as unknown as PlainBatch));
  return undefined;
};

/** A configuration with faults is still shown as what differs. */
function configBundle(config: RunConfig | ResolvedConfig): MimeBundle {
  const table = configTable(config);
  return { "text/html": tableHtml(table), "text/plain": tableText(table) };
}

/** Tells the kernel, once a process. */
export function registerDisplayers(): void {
  const known = globalThis as unknown as Record<symbol, Displayer[] | undefined>;
  known[DISPLAYERS] ??= [];
  if (!known[DISPLAYERS].includes(displayValue)) known[DISPLAYERS].push(displayValue);
}
