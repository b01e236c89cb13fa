/** What cells, and libraries that cells use, can ask of the kernel: the global `jupyter`. */
import { randomUUID } from "node:crypto";
import type { Cells } from "./cells.js";
import type { Comm, Comms, OpenHandler, OpenOptions } from "./comms/comms.js";
import { COMM_DECLARATIONS } from "./comms/declarations.js";
import { Widget, type WidgetOptions } from "./comms/widget.js";
import { bundleOf, isBundle } from "./display/displayBundle.js";
import { ownRun, type Run } from "./runs.js";
import type { Outlet } from "./wire/outlet.js";
import type { MimeBundle } from "./wire/protocol.js";

export interface DisplayOptions {
  /** name of the output, to be changed later by `update: true` under the same name */
  displayId?: string;
  update?: boolean;
  metadata?: Record<string, unknown>;
  /** `value` is a bundle of media types, to be shown as it is */
  raw?: boolean;
}

/** The global `jupyter` of a notebook. */
export interface Jupyter {
  /** Shows a value below the cell; resolves with the output's name. */
  display(value: unknown, options?: DisplayOptions): Promise<string>;
  /** Removes the cell's outputs. @param wait only when the next output comes */
  clearOutput(wait?: boolean): void;
  html(text: string): Promise<string>;
  svg(text: string): Promise<string>;
  markdown(text: string): Promise<string>;
  /** Shows text in the pager of consoles. */
  page(text: string): void;
  /** Asks the user for a line. */
  input(prompt?: string, password?: boolean): Promise<string>;
  /** Aborts when the user interrupts the running cell. */
  readonly signal: AbortSignal;
  /**
   * Asks for the time to finish after an interrupt, such as to save: until the function that it gives is called, only a
   * second interrupt ends the cell by force.
   */
  holdInterrupts(): () => void;
  /** False in headless runs. */
  readonly interactive: boolean;
  /** A widget of anywidget, shown at the end of a cell. */
  widget<S extends object>(options: WidgetOptions<S>): Widget<S>;
  /** Opens a channel to what the page has registered under a name. */
  openComm(target: string, options?: OpenOptions): Comm;
  /** Is given the channels that the page opens to a name. */
  onComm(target: string, handler: OpenHandler): void;
}

/** Declarations of the globals, for the checks of cells. */
export const GLOBAL_DECLARATIONS = `${COMM_DECLARATIONS}
interface ImportMeta {
  dirname: string;
  filename: string;
}
interface JupyterDisplayOptions {
  displayId?: string;
  update?: boolean;
  metadata?: Record<string, unknown>;
  raw?: boolean;
}
declare const jupyter: {
  display(value: unknown, options?: JupyterDisplayOptions): Promise<string>;
  clearOutput(wait?: boolean): void;
  html(text: string): Promise<string>;
  svg(text: string): Promise<string>;
  markdown(text: string): Promise<string>;
  page(text: string): void;
  input(prompt?: string, password?: boolean): Promise<string>;
  readonly signal: AbortSignal;
  holdInterrupts(): () => void;
  readonly interactive: boolean;
  widget<S extends object>(options: JupyterWidgetOptions<S>): JupyterWidget<S>;
  openComm(target: string, options?: JupyterCommContent & { id?: string }): JupyterComm;
  onComm(target: string, handler: (comm: JupyterComm, message: JupyterCommMessage) => unknown): void;
};
`;

export interface ApiSetup {
  outlet: Pick<Outlet, "publish" | "lastRun">;
  cells: Pick<Cells, "currentRun" | "hold">;
  comms: Comms;
  askInput(run: number, prompt: string, password: boolean): Promise<string>;
}

export function createApi({ outlet, cells, comms, askInput }: ApiSetup): Jupyter {
  const run = (): Run | undefined => ownRun() ?? cells.currentRun ?? outlet.lastRun;
  const interactive = () => run()?.interactive ?? true;
  async function display(value: unknown, options: DisplayOptions = {}): Promise<string> {
    const displayId = options.displayId ?? randomUUID();
    const owner = run()?.id ?? 0;
    const made =
      options.raw === true && isBundle(value) ? { data: value as MimeBundle, metadata: {} } : await bundleOf(value);
    if (made === null) return displayId;
    outlet.publish(owner, options.update === true ? "update_display_data" : "display_data", {
      data: made.data,
      metadata: { ...made.metadata, ...options.metadata },
      transient: { display_id: displayId },
    });
    return displayId;
  }
  const show = (type: string) => (text: string) => display({ [type]: text, "text/plain": text }, { raw: true });
  return {
    display,
    clearOutput: (wait = false) => outlet.publish(run()?.id ?? 0, "clear_output", { wait }),
    html: show("text/html"),
    svg: show("image/svg+xml"),
    markdown: show("text/markdown"),
    page: (text) => void run()?.pages.push({ source: "page", data: { "text/plain": text }, start: 0 }),
    async input(prompt = "", password = false) {
      if (!interactive()) throw new Error("this run has nobody to ask: jupyter.input needs an interactive client");
      return await askInput(run()?.id ?? 0, prompt, password);
    },
    get signal() {
      return run()?.controller.signal ?? new AbortController().signal;
    },
    holdInterrupts: () => cells.hold(run()),
    get interactive() {
      return interactive();
    },
    widget: (options) => new Widget(comms, options),
    openComm: (target, options) => comms.open(target, options),
    onComm: (target, handler) => comms.register(target, handler),
  };
}
