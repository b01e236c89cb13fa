/** A figure with sliders: drawn anew as they are moved, kept in the notebook as a picture. */
import { randomUUID } from "node:crypto";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { DISPLAY, figureBundle, figureText, type MimeBundle } from "../figure/display.js";
import { displaySender, type SendDisplay } from "../figure/live.js";
import { type LooseFigure, withRanges } from "../figure/ranges.js";
import { svgFigure } from "../figure/svg.js";
import { formatNumber } from "../figure/text.js";
import type { Figure } from "../figure/types.js";
import { type MakeWidget, widgetMaker } from "./kernel.js";
import { type PageState, SLIDERS_CSS, SLIDERS_ESM } from "./page.js";

/** Numbers that a slider goes through. */
export interface Range {
  from: number;
  to: number;
  /** default 1 */
  step?: number;
  /** default `from` */
  start?: number;
}

/** A slider: numbers, or a list of values, of which it begins with the first. */
export type Control = Range | readonly (string | number)[];

/** What the sliders stand at, by their names. */
export type ValuesOf<C extends Record<string, Control>> = {
  [K in keyof C]: C[K] extends readonly (infer T)[] ? T : number;
};

export interface Interaction<C extends Record<string, Control>> {
  /** what the sliders stand at */
  readonly values: ValuesOf<C>;
  /** what is drawn */
  readonly figure: Figure;
}

export interface InteractOptions {
  /** default the running kernel's; null shows nothing */
  send?: SendDisplay | null;
  /** default the running kernel's; null shows the first picture alone */
  widget?: MakeWidget | null;
}

/** More positions cannot be told apart by hand, and make a slider that nobody asked for. */
const MOST_POSITIONS = 1_000_000;

/**
 * Shows the figure that `draw` makes of the sliders' values, and draws it anew when one is moved: of moves that come while it draws, the
 * last. The notebook keeps the picture that was drawn last. Where there are no widgets, or nobody to move them, the first is shown.
 *
 * @param controls a slider each: `{ from, to, step, start }`, or a list of values
 * @param draw makes a figure, also later, while other cells run
 * @returns what the sliders stand at, and the figure, as they are now
 * @throws AtmorepError (usage) for a control without values; whatever `draw` throws for the first ones, later errors are shown
 * @example await interact({ time: { from: 0, to: 63 } }, ({ time }) => map(store, "velocity_u", 105, time));
 */
export async function interact<const C extends Record<string, Control>>(
  controls: C,
  draw: (values: ValuesOf<C>) => LooseFigure | Promise<LooseFigure>,
  options: InteractOptions = {},
): Promise<Interaction<C>> {
  const { send = displaySender(), widget: make = widgetMaker() } = options;
  const lists = Object.entries(controls).map(([name, control]) => ({ name, ...positionsOf(name, control) }));
  const at = Object.fromEntries(lists.map(({ name, start }) => [name, start]));
  const drawAt = async () => {
    const values = Object.fromEntries(lists.map(({ name, value }) => [name, value(at[name])])) as ValuesOf<C>;
    return { values, figure: withRanges(await draw(values)) };
  };
  let now = await drawAt();
  const shown = shownOnce({
    get values() {
      return now.values;
    },
    get figure() {
      return now.figure;
    },
  });
  if (!send) return shown;
  const put = (data: MimeBundle, update: boolean, id: string) =>
    send({ data, metadata: {}, transient: { display_id: id } }, update);
  const displayId = randomUUID();
  if (!make) {
    await put(await figureBundle(now.figure), false, displayId);
    return shown;
  }
  const stateOf = async (): Promise<Pick<PageState, "texts" | "svg" | "alt" | "error">> => ({
    texts: Object.fromEntries(lists.map(({ name }) => [name, textOf(now.values[name] as string | number)])),
    svg: await svgFigure(now.figure),
    alt: figureText(now.figure),
    error: "",
  });
  const page = make<PageState>({
    esm: SLIDERS_ESM,
    css: SLIDERS_CSS,
    state: { controls: lists.map(({ name, count }) => ({ name, count })), at: { ...at }, ...(await stateOf()) },
  });
  const bundle = () => ({
    ...page.bundle(),
    "image/svg+xml": page.get("svg"),
    "text/plain": figureText(now.figure),
  });
  page.on("at", async (moved) => {
    for (const { name, count } of lists) {
      const position = Number(moved[name]);
      if (Number.isInteger(position) && position >= 0 && position < count) at[name] = position;
    }
    try {
      now = await drawAt();
      page.set(await stateOf());
    } catch (error) {
      page.set({ error: isAtmorepError(error) ? error.message : String(error) });
    }
  });
  page.onMessage<{ kind?: string }>(async ({ kind }) => {
    if (kind === "hello") page.send({ kind: "here" });
    if (kind === "keep") await put(bundle(), true, displayId);
  });
  await put(bundle(), false, displayId);
  return shown;
}

/** It stands below the cell already; at the end of a cell it shows nothing more. */
function shownOnce<T extends object>(value: T): T {
  return Object.defineProperty(value, DISPLAY, { value: () => null, enumerable: false });
}

interface Positions {
  count: number;
  start: number;
  value(position: number): string | number;
}

function positionsOf(name: string, control: Control): Positions {
  if (isList(control)) {
    if (control.length === 0) throw wrong(name, "an empty list", "at least one value");
    return { count: control.length, start: 0, value: (position) => control[position] };
  }
  const { from, to, step = 1, start = from } = control;
  if (![from, to, step, start].every(Number.isFinite) || step <= 0 || to < from) {
    throw wrong(name, JSON.stringify(control), "numbers { from, to, step } with from <= to and step > 0");
  }
  // a step such as 0.1 does not end on `to` exactly
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (count > MOST_POSITIONS) throw wrong(name, `${count} positions`, `at most ${MOST_POSITIONS}`);
  const position = Math.round((start - from) / step);
  if (position < 0 || position >= count) throw wrong(name, `start ${start}`, `from ${from} to ${to}`);
  return { count, start: position, value: (at) => Number((from + at * step).toPrecision(12)) };
}

const isList = (control: Control): control is readonly (string | number)[] => Array.isArray(control);

const textOf = (value: string | number) => (typeof value === "number" ? formatNumber(value) : value);

const wrong = (name: string, found: string, expected: string) =>
  new AtmorepError("usage", "not a slider", {
    where: `interact, ${name}`,
    found,
    expected,
    fix: "Give { from, to, step, start }, or a list of values.",
  });
