/** The wire thread: sockets, the queue of requests, replies, interrupts. Knows nothing of how cells run. */
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Router, XPublisher } from "zeromq";
import { CommTable } from "../comms/table.js";
import { codePointsBefore, unitsBefore } from "../compile/positions.js";
import { Debugger } from "../debug/debugger.js";
import { answerHistory, type HistoryEntry } from "../history.js";
import { type Shell, Shells, unknownShell } from "../subshells/shells.js";
import { terminateMainThread } from "../terminate.js";
import { type Carried, decode, encode, type Header, type Message, Replays } from "./message.js";
import { Outbox } from "./outbox.js";
import { OutputPump, type OutputSink } from "./outputPump.js";

import type { CommType, Event, Request, WireOptions } from "./protocol.js";
import { ANY_RUN, holdFlag, RingReader, stopFlag } from "./ring.js";

/** Cell code that has not answered an interrupt by itself after this time is ended by force. */
const PATIENCE_MS = 1_500;
const RETRY_MS = 300;
const HELD = "Interrupted: finishing what must not be left half done. Interrupt again to end it at once.\n";
/** Parents of finished cells that are kept for late output. */
const KEPT_PARENTS = 4_096;
const KEPT_HISTORY = 10_000;
/** bytes of a frame; who sends more is cut off */
const LARGEST_MESSAGE = 2 ** 28;
const LARGEST_HEARTBEAT = 2 ** 16;

interface Peer {
  outbox: Outbox;
  message: Message;
}

type Content = Record<string, unknown>;

export class WireServer implements OutputSink {
  readonly #options: WireOptions;
  readonly #post: (request: Request) => void;
  readonly #session = randomUUID();
  readonly #stop: Int32Array;
  readonly #hold: Int32Array;
  readonly #pump: OutputPump;
  readonly #sockets = { shell: new Router(), control: new Router(), stdin: new Router(), hb: new Router() };
  readonly #iopubSocket = new XPublisher();
  readonly #iopub: Outbox;
  readonly #stdin: Outbox;
  readonly #parents = new Map<number, Message>();
  readonly #waiting = new Map<number, (content: Content) => void>();
  readonly #history: HistoryEntry[] = [];
  readonly #replays = new Replays();
  readonly #shells = new Shells<Peer>();
  /** of the latest request to the debugger */
  #debugParent: Partial<Header> = {};
  readonly #debugger = new Debugger({
    event: (content) => this.#publish("debug_event", this.#debugParent, content),
    wake: () => this.#post({ type: "begin", run: 0 }),
    own: fileURLToPath(new URL("..", import.meta.url)),
  });
  /** by run at work, the text of its result */
  readonly #results = new Map<number, string | null>();
  /** by question to the user, the run that asks */
  readonly #asking = new Map<string, number>();
  readonly #comms = new CommTable();
  #count = 0;
  #nextId = 1;

  /** @param post sends a request to the cell thread */
  constructor(options: WireOptions, post: (request: Request) => void) {
    this.#options = options;
    this.#post = post;
    this.#stop = stopFlag(options.memory);
    this.#hold = holdFlag(options.memory);
    this.#pump = new OutputPump(new RingReader(options.memory), this);
    // A full queue makes sends wait instead of dropping messages: a slow client slows the cell down, and loses nothing.
    this.#iopubSocket.sendHighWaterMark = 32;
    this.#iopubSocket.noDrop = true;
    this.#iopubSocket.linger = 2_000;
    for (const socket of [this.#sockets.shell, this.#sockets.control, this.#sockets.stdin]) {
      socket.sendHighWaterMark = 0;
      socket.linger = 2_000;
      socket.maxMessageSize = LARGEST_MESSAGE;
    }
    this.#sockets.hb.maxMessageSize = LARGEST_HEARTBEAT;
    this.#iopub = new Outbox(this.#iopubSocket);
    this.#stdin = new Outbox(this.#sockets.stdin);
  }

  /** Binds the sockets and begins to answer. */
  async start(): Promise<void> {
    const { transport, ip, shell_port, control_port, stdin_port, hb_port, iopub_port } = this.#options.connection;
    const join = transport === "ipc" ? "-" : ":";
    const address = (port: number) => `${transport}://${ip}${join}${port}`;
    await Promise.all([
      this.#sockets.shell.bind(address(shell_port)),
      this.#sockets.control.bind(address(control_port)),
      this.#sockets.stdin.bind(address(stdin_port)),
      this.#sockets.hb.bind(address(hb_port)),
      this.#iopubSocket.bind(address(iopub_port)),
    ]);
    void this.#heartbeat();
    void this.#welcome();
    void this.#listen(this.#sockets.shell, (peer) => {
      // who connects while a cell runs asks what the kernel is before anything else
      const asks = peer.message.header.msg_type === "kernel_info_request";
      return asks || this.#comms.passes(peer.message) ? this.#besides(peer) : this.#enqueue(peer);
    });
    void this.#listen(this.#sockets.control, (peer) => this.#handle(peer, this.#shells.main));
    void this.#listenStdin();
    this.#publish("status", {}, { execution_state: "starting" });
    this.#pump.wake();
    this.#followParent();
  }

  /** Ends the kernel when the program that started it is gone without a word. */
  #followParent(): void {
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) void this.#exit(1);
    }, 1_000).unref();
  }

  /** Frames have been written to the ring while it was empty. */
  wake(): void {
    this.#pump.wake();
  }

  stream(run: number, name: "stdout" | "stderr", text: string): void {
    this.#publish("stream", this.#parents.get(run)?.header ?? {}, { name, text });
  }

  event(event: Event): void {
    if (event.kind === "publish") {
      const { run, type, content, carried } = event;
      if (type === "execute_result") this.#results.set(run, plainText(content));
      this.#comms.note(type, content);
      const buffers = carried?.buffers?.map((text) => Buffer.from(text, "base64"));
      this.#publish(type, this.#parents.get(run)?.header ?? {}, content, { metadata: carried?.metadata, buffers });
    } else if (event.kind === "reply") {
      this.#waiting.get(event.id)?.(event.content);
    } else if (event.kind === "input") {
      this.#askInput(event.run, event.prompt, event.password);
    } else if (event.kind === "interrupt") {
      this.#interrupt(undefined);
    } else if (event.kind === "compiled") {
      const { run } = event;
      const begin = () => this.#post({ type: "begin", run });
      this.#debugger.prepare(run).then(begin, begin);
    }
  }

  backlog(): number {
    return this.#iopub.bytes;
  }

  drained(): Promise<void> {
    return this.#iopub.drained();
  }

  #publish(type: string, parent: Partial<Header>, content: Content, carried?: Carried): void {
    this.#iopub.push(encode(this.#options.connection.key, [type], type, parent, content, this.#session, carried));
  }

  #reply(peer: Peer, type: string, content: Content): void {
    const { identities, header } = peer.message;
    peer.outbox.push(encode(this.#options.connection.key, identities, type, header, content, this.#session));
  }

  /** What comes is sent back, by a router: a reply socket of the binding aborts the process at a request of odd frames. */
  async #heartbeat(): Promise<void> {
    await this.#receive(this.#sockets.hb, (frames) => this.#sockets.hb.send(frames));
  }

  /** JEP 65: tells each new subscriber that from now on nothing is missed. */
  async #welcome(): Promise<void> {
    await this.#receive(this.#iopubSocket, ([frame]) => {
      if (frame?.[0] !== 1) return;
      const subscription = frame.subarray(1).toString("utf8");
      this.#publish("iopub_welcome", {}, { subscription });
    });
  }

  async #listen(socket: Router, take: (peer: Peer) => Promise<void> | void): Promise<void> {
    const outbox = new Outbox(socket);
    const { key } = this.#options.connection;
    await this.#receive(socket, (frames) => {
      const message = decode(key, frames);
      this.#replays.check(message);
      // not waited for: an interrupt must not stand behind the cell that it is for
      Promise.resolve(take({ outbox, message })).catch(ignored);
    });
  }

  /** Takes what comes until the socket is closed; what cannot be dealt with is told and left. */
  async #receive(socket: Router | XPublisher, take: (frames: Buffer[]) => Promise<void> | void): Promise<void> {
    while (!socket.closed) {
      try {
        const frames = (await socket.receive()) as Buffer[];
        await Promise.resolve(take(frames)).catch(ignored);
      } catch (error) {
        if (socket.closed) return;
        ignored(error);
        // one that fails again and again must leave the thread time for the others
        await sleep(1);
      }
    }
  }

  async #listenStdin(): Promise<void> {
    await this.#listen(this.#sockets.stdin, ({ message }) => {
      if (message.header.msg_type === "input_reply") {
        const asked = String(message.parent.msg_id ?? "");
        // a client that does not say which question it answers means the latest
        const run = this.#asking.get(asked) ?? [...this.#asking.values()].at(-1);
        this.#asking.delete(asked);
        if (run !== undefined) this.#post({ type: "input", run, value: String(message.content.value ?? "") });
      }
    });
  }

  #askInput(run: number, prompt: string, password: boolean): void {
    const parent = this.#parents.get(run);
    if (parent === undefined) return;
    const content = { prompt, password };
    const { key } = this.#options.connection;
    const frames = encode(key, parent.identities, "input_request", parent.header, content, this.#session);
    const header = JSON.parse(String(frames.at(-4))) as Header;
    this.#asking.set(header.msg_id, run);
    this.#stdin.push(frames);
  }

  #enqueue(peer: Peer): void {
    const { header } = peer.message;
    const shell = this.#shells.find(header.subshell_id);
    if (shell === undefined) {
      this.#refuse(peer, unknownShell(header.subshell_id));
      return;
    }
    shell.queue.push(peer);
    if (!shell.serving) void this.#serve(shell);
  }

  async #serve(shell: Shell<Peer>): Promise<void> {
    shell.serving = true;
    for (let peer = shell.queue.shift(); peer !== undefined; peer = shell.queue.shift()) {
      await this.#handle(peer, shell).catch(ignored);
    }
    shell.serving = false;
  }

  async #handle(peer: Peer, shell: Shell<Peer>): Promise<void> {
    const { header, content } = peer.message;
    this.#publish("status", header, { execution_state: "busy" });
    try {
      await this.#answer(peer, shell, header.msg_type, content);
    } finally {
      this.#publish("status", header, { execution_state: "idle" });
    }
  }

  /** Answers a request that is not obeyed. */
  #refuse(peer: Peer, content: Content): void {
    const { header } = peer.message;
    this.#publish("status", header, { execution_state: "busy" });
    const [, kind] = /^(.*)_request$/.exec(header.msg_type) ?? [];
    if (kind !== undefined) this.#reply(peer, `${kind}_reply`, content);
    this.#publish("status", header, { execution_state: "idle" });
  }

  async #answer(peer: Peer, shell: Shell<Peer>, type: string, content: Content): Promise<void> {
    const code = String(content.code ?? "");
    const cursor = unitsBefore(code, Number(content.cursor_pos ?? code.length));
    switch (type) {
      case "kernel_info_request":
        return this.#reply(peer, "kernel_info_reply", this.#kernelInfo());
      case "execute_request":
        return this.#execute(peer, shell, code, content);
      case "complete_request": {
        const reply = await this.#ask({ type: "complete", id: this.#nextId++, code, cursor });
        const position = (key: string) => codePointsBefore(code, Number(reply[key] ?? cursor));
        const positions = { cursor_start: position("cursor_start"), cursor_end: position("cursor_end") };
        return this.#reply(peer, "complete_reply", { ...reply, ...positions });
      }
      case "inspect_request": {
        const detail = Number(content.detail_level ?? 0);
        const reply = await this.#ask({ type: "inspect", id: this.#nextId++, code, cursor, detail });
        return this.#reply(peer, "inspect_reply", reply);
      }
      case "is_complete_request":
        return this.#reply(
          peer,
          "is_complete_reply",
          await this.#ask({ type: "isComplete", id: this.#nextId++, code }),
        );
      case "history_request":
        return this.#reply(peer, "history_reply", answerHistory(this.#history, content));
      case "comm_info_request":
        return this.#reply(peer, "comm_info_reply", this.#comms.info(content));
      case "comm_open":
      case "comm_msg":
      case "comm_close":
        return this.#takeComm(peer.message, type);
      case "interrupt_request":
        this.#interrupt(peer.message.header.subshell_id);
        return this.#reply(peer, "interrupt_reply", { status: "ok" });
      case "debug_request":
        this.#debugParent = peer.message.header;
        return this.#reply(peer, "debug_reply", await this.#debugger.request(content));
      case "create_subshell_request":
        return this.#reply(peer, "create_subshell_reply", { status: "ok", subshell_id: this.#shells.create() });
      case "list_subshell_request":
        return this.#reply(peer, "list_subshell_reply", { status: "ok", subshell_id: this.#shells.list() });
      case "delete_subshell_request":
        return this.#reply(peer, "delete_subshell_reply", this.#deleteShell(content.subshell_id));
      case "shutdown_request":
        this.#reply(peer, "shutdown_reply", { status: "ok", restart: content.restart === true });
        void this.#exit(0);
        return;
    }
  }

  /** A message that does not wait for the cell at work; the kernel is busy with that one as before. */
  async #besides(peer: Peer): Promise<void> {
    const { main } = this.#shells;
    await this.#handle(peer, main);
    const parent = main.running === undefined ? undefined : this.#parents.get(main.running);
    if (parent !== undefined) this.#publish("status", parent.header, { execution_state: "busy" });
  }

  /** Idle, which follows, tells the page that the cell thread is done with it: then it sends the next. */
  async #takeComm(message: Message, kind: CommType): Promise<void> {
    const { content, metadata } = message;
    const id = this.#nextId++;
    this.#parents.set(id, message);
    this.#comms.note(kind, content);
    const buffers = message.buffers.map((bytes) => new Uint8Array(bytes));
    await this.#ask({ type: "comm", id, kind, content, metadata, buffers });
    this.#parents.delete(id);
  }

  #kernelInfo(): Content {
    const { implementation, version, language, banner } = this.#options.info;
    return {
      status: "ok",
      protocol_version: "5.4",
      implementation,
      implementation_version: version,
      banner,
      language_info: {
        name: "typescript",
        version: language,
        mimetype: "text/typescript",
        file_extension: ".ts",
        pygments_lexer: "typescript",
        codemirror_mode: { name: "javascript", typescript: true, mode: "typescript" },
        nbconvert_exporter: "script",
      },
      supported_features: ["iopub_welcome", "kernel subshells", "debugger"],
      debugger: true,
      help_links: [],
    };
  }

  #ask(request: Request & { id: number }): Promise<Content> {
    return new Promise((resolve) => {
      this.#waiting.set(request.id, (content) => {
        this.#waiting.delete(request.id);
        resolve(content);
      });
      this.#post(request);
    });
  }

  async #execute(peer: Peer, shell: Shell<Peer>, code: string, content: Content): Promise<void> {
    const silent = content.silent === true;
    const keep = !silent && content.store_history !== false;
    if (keep) this.#count++;
    const count = this.#count;
    const id = this.#nextId++;
    this.#remember(id, peer.message);
    const { header } = peer.message;
    if (!silent) this.#publish("execute_input", header, { code, execution_count: count });
    shell.running = id;
    const allowStdin = content.allow_stdin !== false;
    const beside = shell.id !== null;
    const debug = this.#debugger.attached;
    const reply = await this.#ask({ type: "execute", id, code, count, silent, allowStdin, beside, debug });
    shell.running = undefined;
    shell.interrupted = false;
    const others = this.#shells.atWork().some((other) => other.interrupted);
    if (Atomics.load(this.#stop, 0) === id || !others) Atomics.store(this.#stop, 0, 0);
    if (keep) this.#history.push({ line: count, code, output: this.#results.get(id) ?? null });
    this.#results.delete(id);
    if (this.#history.length > KEPT_HISTORY) this.#history.shift();
    // The reply follows all output, so that a client which stops listening soon after it has everything.
    await this.#iopub.drained();
    this.#reply(peer, "execute_reply", { ...reply, execution_count: count });
    if (reply.status === "error" && content.stop_on_error !== false) this.#abortQueued(shell);
  }

  #remember(id: number, message: Message): void {
    this.#parents.set(id, message);
    if (this.#parents.size <= KEPT_PARENTS) return;
    const [oldest] = this.#parents.keys();
    this.#parents.delete(oldest);
  }

  /** Cells of a shell that were waiting when one failed are not run, and are told so; cells sent later run. */
  #abortQueued(shell: Shell<Peer>): void {
    const queued = shell.queue;
    shell.queue = queued.filter((peer) => peer.message.header.msg_type !== "execute_request");
    for (const peer of queued) {
      if (peer.message.header.msg_type !== "execute_request") continue;
      this.#refuse(peer, { status: "aborted", execution_count: this.#count });
    }
  }

  /** Its cells are nobody's any more: the one at work is interrupted, those that wait are not run. */
  #deleteShell(id: unknown): Content {
    const shell = this.#shells.delete(id);
    if (shell === undefined) return { status: "error", evalue: unknownShell(id).evalue };
    this.#abortQueued(shell);
    if (shell.running !== undefined) this.#interruptShell(shell);
    return { status: "ok" };
  }

  /** Asks cells to stop, then ends them by force; returns at once. @param id the shell that the interrupt names, if it does */
  #interrupt(id: unknown): void {
    const shells = this.#shells.toInterrupt(id);
    for (const shell of shells) this.#interruptShell(shell);
    if (shells.length > 1) Atomics.store(this.#stop, 0, ANY_RUN);
    if (shells.length === 0) this.#post({ type: "interrupt", id: this.#nextId++, run: undefined, force: false });
  }

  #interruptShell(shell: Shell<Peer>): void {
    const run = shell.running;
    if (run === undefined) return;
    Atomics.store(this.#stop, 0, run);
    // a second one is for whoever has asked for time
    if (shell.interrupted) Atomics.store(this.#hold, holdSlot(shell), 0);
    const heard = this.#ask({ type: "interrupt", id: this.#nextId++, run, force: false });
    // one that is stopped goes on, and hears it
    void this.#debugger.pass();
    if (shell.interrupted) return;
    shell.interrupted = true;
    void this.#enforce(shell, run, heard);
  }

  /** @param heard when the cell thread knows of the interrupt */
  async #enforce(shell: Shell<Peer>, run: number, heard: Promise<Content>): Promise<void> {
    const hold = holdSlot(shell);
    let isHeard = false;
    void heard.then(() => {
      isHeard = true;
    });
    await sleep(PATIENCE_MS);
    if (shell.running === run && !isHeard && this.#shells.atWork().length > 1) {
      // a cell of another shell may keep the thread: it is stopped too, else this one could never be
      Atomics.store(this.#stop, 0, ANY_RUN);
      await sleep(RETRY_MS);
      Atomics.store(this.#stop, 0, shell.running === run ? run : 0);
      if (isHeard) await sleep(PATIENCE_MS);
    }
    if (shell.running === run && Atomics.load(this.#hold, hold) > 0) this.stream(run, "stderr", HELD);
    while (shell.running === run) {
      if (Atomics.load(this.#hold, hold) > 0) {
        await sleep(RETRY_MS);
        continue;
      }
      await terminateMainThread();
      this.#post({ type: "interrupt", id: this.#nextId++, run, force: true });
      await sleep(RETRY_MS);
    }
  }

  async #exit(code: number): Promise<void> {
    this.#debugger.close();
    this.#pump.flush();
    await Promise.race([this.#iopub.drained(), sleep(1_000)]);
    await sleep(50);
    for (const socket of Object.values(this.#sockets)) socket.close();
    this.#iopubSocket.close();
    this.#post({ type: "shutdown", code });
    await sleep(500);
    // The main thread did not end the process: a cell keeps it.
    process.kill(process.pid, "SIGKILL");
  }
}

/** Where those of a shell's cells are counted that have asked for time. */
const holdSlot = (shell: Shell<unknown>) => (shell.id === null ? 0 : 1);

function ignored(error: unknown): void {
  process.stderr.write(`message ignored: ${error instanceof Error ? error.message : String(error)}\n`);
}

function plainText(content: Content): string | null {
  const data = content.data as Content | undefined;
  return typeof data?.["text/plain"] === "string" ? data["text/plain"] : null;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
