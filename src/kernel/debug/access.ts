/** What the debugger, which is on the wire thread, asks of the cell thread through V8's inspector. */
import { inspect } from "node:util";
import { bundleOf } from "../display/displayBundle.js";
import type { Tracebacks } from "../traceback.js";
import { ACCESS } from "./names.js";

/** A script's source as it was typed, and source maps from the code that runs to it. */
export interface TypedSource {
  /** of a cell */
  code?: string;
  /** of a module of the notebook's own */
  file?: string;
  maps: string[];
  shift: number;
}

/** @param values variables of all cells, by name */
export function openToDebugger(values: Record<string, unknown>, tracebacks: Tracebacks): void {
  const access = {
    values,
    /** @param url of a script */
    source(url: string): TypedSource | null {
      const { code, file, lines } = tracebacks.source(url) ?? {};
      return lines === undefined ? null : { code, file, ...lines.parts() };
    },
    text: (value: unknown) => inspect(value),
    show: (name: string) => bundleOf(values[name]),
  };
  Object.defineProperty(globalThis, Symbol.for(ACCESS), { value: access });
}
