/** Comms: channels between cells and the page, which Jupyter names by an id. The cell thread's side. */
import { randomUUID } from "node:crypto";
import { inRun, Run } from "../runs.js";
import type { CommRequest, CommType } from "../wire/protocol.js";

/** What one message carries beside its kind. */
export interface CommContent {
  /** JSON */
  data?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  buffers?: readonly ArrayBufferView[];
}

export interface CommMessage {
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  buffers: Uint8Array[];
  /** its number, by which a late answer names it */
  request: number;
}

export type CommHandler = (message: CommMessage) => unknown;

export interface CommsSetup {
  publish(run: number, type: CommType, content: Record<string, unknown>, carried: CommContent): void;
  reply(id: number): void;
  /** the run that the code at hand belongs to */
  run(): Run | undefined;
  /** an error of a handler */
  failed(run: number, error: unknown): void;
}

/** One channel. It belongs to the cell that opened it: what its handlers print appears there. */
export class Comm {
  readonly id: string;
  readonly target: string;
  readonly #publish: (type: CommType, content: CommContent, request?: number) => void;
  #onMessage: CommHandler | undefined;
  #onClose: CommHandler | undefined;
  #closed = false;

  constructor(id: string, target: string, publish: (type: CommType, content: CommContent, request?: number) => void) {
    this.id = id;
    this.target = target;
    this.#publish = publish;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends a message to the page; nothing once the channel is closed.
   * @param request the message that this answers; default the one at work, as far as its handler has not awaited, else the cell at work
   */
  send(data: Record<string, unknown>, content: Omit<CommContent, "data"> = {}, request?: number): void {
    if (!this.#closed) this.#publish("comm_msg", { ...content, data }, request);
  }

  close(data: Record<string, unknown> = {}, content: Omit<CommContent, "data"> = {}): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#publish("comm_close", { ...content, data });
  }

  /** Calls `handler` with each message of the page, one after the other; a promise that it gives is awaited. */
  onMessage(handler: CommHandler): void {
    this.#onMessage = handler;
  }

  onClose(handler: CommHandler): void {
    this.#onClose = handler;
  }

  /** What the page sent; for `Comms`. */
  take(type: CommType, message: CommMessage): unknown {
    if (type === "comm_msg") return this.#onMessage?.(message);
    this.#closed = true;
    return this.#onClose?.(message);
  }
}

export interface OpenOptions extends CommContent {
  /** default a new one */
  id?: string;
}

export type OpenHandler = (comm: Comm, message: CommMessage) => unknown;

interface Open {
  comm: Comm;
  /** whose output the handlers' is */
  run: Run;
  /** the message at work; the next one waits for it */
  last: Promise<void>;
}

export class Comms {
  readonly #setup: CommsSetup;
  readonly #open = new Map<string, Open>();
  readonly #targets = new Map<string, { handler: OpenHandler; run: Run }>();
  /** the message whose handler runs, up to its first await: what is sent answers it */
  #answering: number | undefined;
  /** requests that are not answered yet */
  readonly #pending = new Set<number>();

  constructor(setup: CommsSetup) {
    this.#setup = setup;
  }

  /** Opens a channel to what the page has registered under `target`. */
  open(target: string, { id = randomUUID(), ...content }: OpenOptions = {}): Comm {
    const { comm } = this.#add(id, target, this.#setup.run());
    this.#publish(id, "comm_open", { ...content }, { target_name: target, target_module: null });
    return comm;
  }

  /** From now on channels that the page opens to `target` are given to `handler`. */
  register(target: string, handler: OpenHandler): void {
    this.#targets.set(target, { handler, run: asRun(this.#setup.run()) });
  }

  /** Deals with a message of the page and replies when its handler is done. */
  async take(request: CommRequest): Promise<void> {
    this.#pending.add(request.id);
    try {
      await this.#handle(request);
    } finally {
      this.#reply(request.id);
    }
  }

  /** Answers what an interrupt by force has ended. */
  settle(): void {
    for (const id of this.#pending) this.#reply(id);
    for (const open of this.#open.values()) open.last = Promise.resolve();
  }

  #reply(id: number): void {
    if (this.#pending.delete(id)) this.#setup.reply(id);
  }

  #add(id: string, target: string, run: Run | undefined): Open {
    const comm = new Comm(id, target, (type, content, request) => this.#publish(id, type, content, {}, request));
    const open = { comm, run: asRun(run), last: Promise.resolve() };
    this.#open.set(id, open);
    return open;
  }

  #publish(
    id: string,
    type: CommType,
    { data = {}, ...carried }: CommContent,
    more: Record<string, unknown> = {},
    request?: number,
  ): void {
    const owner = this.#setup.run() ?? this.#open.get(id)?.run;
    this.#setup.publish(request ?? this.#answering ?? owner?.id ?? 0, type, { data, comm_id: id, ...more }, carried);
    if (type === "comm_close") this.#open.delete(id);
  }

  async #handle({ id, kind, content, metadata, buffers }: CommRequest): Promise<void> {
    const name = String(content.comm_id ?? "");
    const data = (content.data ?? {}) as Record<string, unknown>;
    const message = { data, metadata, buffers, request: id };
    if (kind === "comm_open") {
      const target = String(content.target_name ?? "");
      const known = this.#targets.get(target);
      const open = this.#add(name, target, known?.run);
      // nobody is there: the page is told, as ipykernel does
      const handler = known?.handler ?? ((comm: Comm) => comm.close());
      await this.#inTurn(open, id, () => handler(open.comm, message));
      return;
    }
    const open = this.#open.get(name);
    if (open === undefined) return;
    if (kind === "comm_close") this.#open.delete(name);
    await this.#inTurn(open, id, () => open.comm.take(kind, message));
  }

  #inTurn(open: Open, request: number, work: () => unknown): Promise<void> {
    // A run that was interrupted ends whatever awaits in it; its page goes on.
    if (open.run.interrupted) open.run = new Run(open.run.id, open.run.count);
    const { run } = open;
    const turn = async () => {
      try {
        this.#answering = request;
        const done = inRun(run, work);
        this.#answering = undefined;
        await done;
      } catch (error) {
        this.#setup.failed(run.id, error);
      } finally {
        this.#answering = undefined;
      }
    };
    open.last = open.last.then(turn);
    return open.last;
  }
}

const asRun = (run: Run | undefined): Run => run ?? new Run(0, 0);
