/**
 * Widgets of anywidget: a module for the page, and a state that both sides see. The protocol is that of Jupyter's widgets, 2.1.0
 * (comm target `jupyter.widget`); the page needs the packages anywidget and jupyterlab_widgets.
 */
import { createHash } from "node:crypto";
import { DISPLAY } from "../display/displayBundle.js";
import type { MimeBundle } from "../wire/protocol.js";
import { placeBuffers, separateBuffers } from "./buffers.js";
import type { Comm, CommMessage, Comms } from "./comms.js";

const TARGET = "jupyter.widget";
const PROTOCOL = "2.1.0";
const VIEW_TYPE = "application/vnd.jupyter.widget-view+json";
/** Any version whose module has the same interface. */
const ANYWIDGET = "~0.11.*";

type State = Record<string, unknown>;

export interface WidgetOptions<S extends object = State> {
  /** the page's module: `export default { render({ model, el }) { ... } }` */
  esm: string;
  css?: string;
  /** JSON, and typed arrays, which the page gets as DataViews */
  state?: S;
}

/** A widget; at the end of a cell it shows itself. */
export class Widget<S extends object = State> {
  readonly #comm: Comm;
  readonly #own: State;
  readonly #changed = new Map<string, ((value: never) => unknown)[]>();
  #onMessage: ((content: never, buffers: Uint8Array[]) => unknown) | undefined;

  constructor(comms: Comms, { esm, css, state }: WidgetOptions<S>) {
    this.#own = { ...state, _esm: esm, ...styled(css) };
    const { buffers, ...data } = separateBuffers({ ...MODEL, ...this.#own });
    this.#comm = comms.open(TARGET, { data, buffers, metadata: { version: PROTOCOL } });
    this.#comm.onMessage((message) => this.#take(message));
  }

  /** Jupyter's name of it. */
  get id(): string {
    return this.#comm.id;
  }

  /** False once it is closed, by the cell or the page. */
  get open(): boolean {
    return !this.#comm.closed;
  }

  get<K extends keyof S & string>(key: K): S[K] {
    return this.#own[key] as S[K];
  }

  /** Changes some of the state, in the page too. */
  set(state: Partial<S>): void {
    Object.assign(this.#own, state);
    this.#update(state as State);
  }

  /** Calls `handler` with each value that the page sets; a promise that it gives is awaited before the next. */
  on<K extends keyof S & string>(key: K, handler: (value: S[K]) => unknown): void {
    this.#changed.set(key, [...(this.#changed.get(key) ?? []), handler]);
  }

  /** Sends what is no state; the page's model has it as `msg:custom`. */
  send(content: unknown, buffers: readonly ArrayBufferView[] = []): void {
    this.#comm.send({ method: "custom", content }, { buffers });
  }

  /** Calls `handler` with what the page's `model.send` sends. */
  onMessage<T = unknown>(handler: (content: T, buffers: Uint8Array[]) => unknown): void {
    this.#onMessage = handler;
  }

  /** Ends it; its views stay as they are, or go. */
  close(): void {
    this.#comm.close();
  }

  /** The forms of it in which pages show it. */
  bundle(): MimeBundle {
    return {
      [VIEW_TYPE]: { version_major: 2, version_minor: 0, model_id: this.id },
      "text/plain": `[widget ${this.id}]`,
    };
  }

  [DISPLAY](): MimeBundle {
    return this.bundle();
  }

  #update(changed: State, method = "update", request?: number): void {
    const { buffers, ...data } = separateBuffers(changed);
    this.#comm.send({ method, ...data }, { buffers }, request);
  }

  async #take({ data, buffers, request }: CommMessage): Promise<void> {
    if (data.method === "request_state") this.#update({ ...MODEL, ...this.#own }, "update", request);
    else if (data.method === "custom") await this.#onMessage?.(data.content as never, buffers);
    else if (data.method === "update") {
      const state = placeBuffers((data.state ?? {}) as State, data.buffer_paths, buffers);
      Object.assign(this.#own, state);
      // other pages see it, and the one that sent it knows that it came
      this.#update(state, "echo_update", request);
      for (const [key, value] of Object.entries(state)) {
        for (const handler of this.#changed.get(key) ?? []) await handler(value as never);
      }
    }
  }
}

const MODEL: State = {
  _model_module: "anywidget",
  _model_name: "AnyModel",
  _model_module_version: ANYWIDGET,
  _view_module: "anywidget",
  _view_name: "AnyView",
  _view_module_version: ANYWIDGET,
  _view_count: null,
};

/** Pages keep one sheet of a name: widgets of the same sheet share it. */
function styled(css: string | undefined): State {
  if (css === undefined) return {};
  return { _css: css, _anywidget_id: `sheet-${createHash("sha256").update(css).digest("hex").slice(0, 16)}` };
}
