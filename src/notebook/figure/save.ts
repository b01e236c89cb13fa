/** `nb.save`: a figure, a table or anything else that shows itself, as a file. */
import { extname } from "node:path";
import { AtmorepError } from "../../errors.js";
import { writeFileAtomic } from "../../formats/atomic.js";
import { figureCsv, tableCsv } from "./csv.js";
import { DISPLAY, type Displayable, type MimeBundle } from "./display.js";
import { plain } from "./own.js";
import { figurePage, plotlyPage, tablePage } from "./page.js";
import type { PlotlyFigure } from "./plotly.js";
import { pngOf } from "./raster.js";
import { svgFigure } from "./svg.js";
import { type Table, tableHtml } from "./table.js";
import type { Figure } from "./types.js";

/** A table with the methods of arquero's. */
export interface ColumnTable {
  toCSV(): string;
  toHTML(options?: object): string;
  objects(): object[];
}

/** What can be saved. */
export type Savable = Figure | Table | ColumnTable | PlotlyFigure | Displayable;

/**
 * Saves what a cell shows; an existing file is replaced at once, as a whole.
 * @param path its ending says the form. Figures: `.svg`, `.png` (with the package @napi-rs/canvas), `.html` (a page that can be zoomed and
 *   needs nothing else), `.csv` (what is drawn), `.json` (plain data). Tables, arquero's too: `.csv`, `.html`, `.json`
 * @returns `path`
 * @throws AtmorepError (input) for a form that the value does not have
 * @example await save(nb.masks(prepared), "masks.svg");
 */
export async function save(value: Savable, path: string): Promise<string> {
  const form = extname(path).slice(1).toLowerCase();
  const forms = formsOf(value);
  const make = Object.hasOwn(forms, form) ? forms[form] : undefined;
  if (make === undefined) {
    const known = Object.keys(forms);
    throw new AtmorepError(
      "input",
      known.length === 0 ? "not a figure or a table" : "not a form that this can be saved in",
      {
        where: path,
        found: form === "" ? "no ending" : `.${form}`,
        expected:
          known.map((name) => `.${name}`).join(", ") || "what nb.* gives, an arquero table, or a figure of Plotly",
        fix: known.length === 0 ? undefined : `Name the file ...${known[0] ? `.${known[0]}` : ""}`,
      },
    );
  }
  await writeFileAtomic(path, await make());
  return path;
}

type Forms = Record<string, () => Promise<string | Uint8Array> | string>;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function formsOf(value: unknown): Forms {
  if (!isObject(value)) return {};
  const json = () => `${JSON.stringify(plain(value), null, 2)}\n`;
  if (Array.isArray(value.panels)) {
    const figure = value as unknown as Figure;
    return {
      svg: () => svgFigure(figure),
      png: async () => pngOf(await svgFigure(figure)),
      html: () => figurePage(figure),
      csv: () => figureCsv(figure),
      json,
    };
  }
  if (typeof value.toCSV === "function") {
    const table = value as unknown as ColumnTable;
    return {
      csv: () => table.toCSV(),
      html: () => tablePage("table", table.toHTML({ limit: Number.POSITIVE_INFINITY })),
      json: () => `${JSON.stringify(table.objects(), null, 2)}\n`,
    };
  }
  if (Array.isArray(value.columns) && Array.isArray(value.rows)) {
    const table = value as unknown as Table;
    return { csv: () => tableCsv(table), html: () => tablePage(table.title, tableHtml(table)), json };
  }
  if (Array.isArray(value.data) && isObject(value.layout)) {
    const spec = value as unknown as PlotlyFigure;
    return { html: () => plotlyPage("figure", spec), json };
  }
  const display = value[DISPLAY as never] as unknown;
  if (typeof display !== "function") return {};
  return bundleForms(() => display.call(value) as Promise<MimeBundle>, json);
}

/** Of something that shows itself in its own way: what it shows. */
function bundleForms(bundle: () => Promise<MimeBundle>, json: () => string): Forms {
  const part = async (type: string) => {
    const text = (await bundle())[type];
    if (typeof text === "string") return text;
    throw new AtmorepError("input", `this shows itself without ${type}`, { fix: "Save it as .json." });
  };
  return {
    svg: () => part("image/svg+xml"),
    png: async () => pngOf(await part("image/svg+xml")),
    html: async () => tablePage("value", await part("text/html")),
    json,
  };
}
