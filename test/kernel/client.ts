/** A Jupyter client for the tests: starts a real kernel process and speaks the wire protocol to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Dealer, Subscriber } from "zeromq";
import { decode, encode, type Message, sign } from "../../src/kernel/wire/message.js";

export type Content = Record<string, unknown>;

export interface Outcome {
  reply: Content;
  /** everything on iopub between busy and idle */
  outputs: Message[];
  /** merged text of one stream */
  text(name?: "stdout" | "stderr"): string;
  /** contents of all messages of a type */
  of(type: string): Content[];
}

export interface ExecuteOptions {
  silent?: boolean;
  storeHistory?: boolean;
  allowStdin?: boolean;
  stopOnError?: boolean;
  /** the shell that runs it; the main one if not given */
  subshell?: string;
  /** called with each message as it comes */
  onMessage?: (message: Message) => void;
}

/** Another entry point can be tested in place of the checkout's. */
const ENTRY = resolve(process.env.ATMOREP_TEST_KERNEL ?? "bin/kernel.js");
export const KEY = "a test's key";

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

export class KernelClient {
  readonly process: ChildProcess;
  readonly #folder: string;
  readonly #session = randomUUID();
  readonly #shell = new Dealer();
  readonly #control = new Dealer();
  readonly #stdin = new Dealer();
  readonly #iopub = new Subscriber();
  readonly #waiting = new Map<string, { reply?: Content; idle: boolean; outputs: Message[]; settle: () => void }>();
  readonly #replies = new Map<string, (content: Content) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  #welcomed: () => void = () => {};
  /** by socket: shell, control, iopub, stdin, hb */
  readonly ports: Record<string, number>;
  stderr = "";
  /** fails when the process ends */
  readonly #ended: Promise<never>;

  private constructor(process: ChildProcess, folder: string, ports: Record<string, number>) {
    this.process = process;
    this.#folder = folder;
    this.ports = ports;
    process.stderr?.on("data", (data) => {
      this.stderr += data;
    });
    this.#ended = new Promise((_, reject) => {
      process.once("exit", (code, signal) =>
        reject(new Error(`the kernel ended with ${code ?? signal}: ${this.stderr}`)),
      );
    });
    this.#ended.catch(() => {});
  }

  /** @param cwd the notebook's folder; the checkout if not given @param env variables beside those of the test */
  static async start(cwd = ".", env: Record<string, string> = {}): Promise<KernelClient> {
    const folder = mkdtempSync(join(tmpdir(), "kernel-"));
    const [shell_port, control_port, iopub_port, stdin_port, hb_port] = await freePorts(5);
    const ports = { shell_port, control_port, iopub_port, stdin_port, hb_port };
    const file = join(folder, "connection.json");
    const transport = { transport: "tcp", ip: "127.0.0.1", key: KEY, signature_scheme: "hmac-sha256" };
    writeFileSync(file, JSON.stringify({ ...transport, ...ports }));
    const args = ["--no-force-async-hooks-checks", ENTRY, file];
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const client = new KernelClient(child, folder, ports);
    const identity = randomUUID();
    client.#shell.routingId = identity;
    client.#stdin.routingId = identity;
    const welcomed = new Promise<void>((done) => {
      client.#welcomed = done;
    });
    client.#iopub.connect(`tcp://127.0.0.1:${iopub_port}`);
    client.#iopub.subscribe();
    client.#shell.connect(`tcp://127.0.0.1:${shell_port}`);
    client.#control.connect(`tcp://127.0.0.1:${control_port}`);
    client.#stdin.connect(`tcp://127.0.0.1:${stdin_port}`);
    void client.#readReplies(client.#shell);
    void client.#readReplies(client.#control);
    void client.#readIopub();
    await Promise.race([welcomed, client.#ended]);
    return client;
  }

  async #readReplies(socket: Dealer): Promise<void> {
    for await (const frames of socket) {
      const message = decode(KEY, frames as Buffer[]);
      const id = (message.parent as { msg_id?: string }).msg_id ?? "";
      const entry = this.#waiting.get(id);
      if (entry !== undefined) {
        entry.reply = message.content;
        entry.settle();
      }
      this.#replies.get(id)?.(message.content);
    }
  }

  async #readIopub(): Promise<void> {
    for await (const frames of this.#iopub) {
      const message = decode(KEY, frames as Buffer[]);
      if (message.header.msg_type === "iopub_welcome") this.#welcomed();
      for (const listener of this.#listeners) listener(message);
      const entry = this.#waiting.get((message.parent as { msg_id?: string }).msg_id ?? "");
      if (entry === undefined) continue;
      if (message.header.msg_type === "status") {
        entry.idle = message.content.execution_state === "idle";
        entry.settle();
      } else if (!entry.idle) entry.outputs.push(message);
    }
  }

  #send(socket: Dealer, type: string, content: Content, subshell?: string): { id: string; sent: Promise<void> } {
    const frames = encode(KEY, [], type, {}, content, this.#session);
    const header = JSON.parse(String(frames[2])) as { msg_id: string };
    frames[2] = JSON.stringify({ ...header, subshell_id: subshell ?? null });
    frames[1] = sign(KEY, frames.slice(2));
    return { id: header.msg_id, sent: socket.send(frames) };
  }

  /** Sends a message to the shell, without waiting for anything. */
  post(type: string, content: Content): { id: string; sent: Promise<void> } {
    return this.#send(this.#shell, type, content);
  }

  /** Calls `listener` with every message on iopub; returns what ends that. */
  listen(listener: (message: Message) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs a cell; resolves when its reply has come and the kernel is idle again, fails if the kernel ends. */
  async execute(code: string, options: ExecuteOptions = {}): Promise<Outcome> {
    const content = {
      code,
      silent: options.silent ?? false,
      store_history: options.storeHistory ?? true,
      user_expressions: {},
      allow_stdin: options.allowStdin ?? true,
      stop_on_error: options.stopOnError ?? true,
    };
    const outputs: Message[] = [];
    const { id, sent } = this.#send(this.#shell, "execute_request", content, options.subshell);
    const done = new Promise<Content>((resolveReply) => {
      const entry = {
        idle: false,
        reply: undefined as Content | undefined,
        outputs,
        settle: () => {
          if (entry.idle && entry.reply !== undefined) resolveReply(entry.reply);
        },
      };
      this.#waiting.set(id, entry);
    });
    const stop = options.onMessage === undefined ? undefined : this.listen(options.onMessage);
    await sent;
    const reply = await Promise.race([done, this.#ended]);
    stop?.();
    this.#waiting.delete(id);
    return {
      reply,
      outputs,
      text: (name = "stdout") =>
        outputs
          .filter((m) => m.header.msg_type === "stream" && m.content.name === name)
          .map((m) => m.content.text)
          .join(""),
      of: (type) => outputs.filter((m) => m.header.msg_type === type).map((m) => m.content),
    };
  }

  /** Any request with a reply, on the shell or the control channel. */
  async request(
    type: string,
    content: Content,
    channel: "shell" | "control" = "shell",
    subshell?: string,
  ): Promise<Content> {
    const { id, sent } = this.#send(channel === "shell" ? this.#shell : this.#control, type, content, subshell);
    const reply = new Promise<Content>((done) => this.#replies.set(id, done));
    await sent;
    const content_ = await reply;
    this.#replies.delete(id);
    return content_;
  }

  interrupt(subshell?: string): Promise<Content> {
    return this.request("interrupt_request", {}, "control", subshell);
  }

  /** Makes a shell beside the main one. @returns its name */
  async subshell(): Promise<string> {
    return String((await this.request("create_subshell_request", {}, "control")).subshell_id);
  }

  /** Answers the next question of a cell. @returns the question */
  async answerInput(value: string): Promise<Content> {
    const message = decode(KEY, (await this.#stdin.receive()) as Buffer[]);
    await this.#stdin.send(encode(KEY, [], "input_reply", message.header, { value }, this.#session));
    return message.content;
  }

  async stop(): Promise<void> {
    const ended = new Promise<void>((done) => this.process.once("exit", () => done()));
    if (this.process.exitCode === null && this.process.signalCode === null) {
      void this.request("shutdown_request", { restart: false }, "control");
      const timer = setTimeout(() => this.process.kill("SIGKILL"), 3_000);
      await ended;
      clearTimeout(timer);
    }
    for (const socket of [this.#shell, this.#control, this.#stdin, this.#iopub]) socket.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
