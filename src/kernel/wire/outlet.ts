/** Everything that leaves the cell thread, in order. */
import { Console } from "node:console";
import { StringDecoder } from "node:string_decoder";
import { ownRun, type Run } from "../runs.js";
import type { CarriedText, Event, PublishedType } from "./protocol.js";
import type { RingWriter } from "./ring.js";

export class Outlet {
  readonly #ring: RingWriter;
  /** the run that started last: owner of output that no run owns */
  lastRun: Run | undefined;

  constructor(ring: RingWriter) {
    this.#ring = ring;
  }

  text(name: "stdout" | "stderr", text: string): void {
    if (text !== "") this.#ring.write(name, (ownRun() ?? this.lastRun)?.id ?? 0, text, false);
  }

  publish(run: number, type: PublishedType, content: Record<string, unknown>, carried?: CarriedText): void {
    this.send({ kind: "publish", run, type, content, carried });
  }

  reply(id: number, content: Record<string, unknown>): void {
    this.send({ kind: "reply", id, content });
  }

  send(event: Event): void {
    this.#ring.write("event", 0, JSON.stringify(event), true);
  }
}

/** Groups within groups that a cell may leave open. */
const MOST_GROUPS = 16;

type Write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown) => boolean;

function writer(outlet: Outlet, name: "stdout" | "stderr", typed: (text: string) => string): Write {
  const decoder = new StringDecoder("utf8");
  return (chunk, encoding, callback) => {
    if (typeof chunk !== "string") outlet.text(name, decoder.write(Buffer.from(chunk)));
    else if (typeof encoding === "string" && !/^utf-?8$/i.test(encoding)) {
      outlet.text(name, Buffer.from(chunk, encoding as BufferEncoding).toString("utf8"));
    } else outlet.text(name, typed(chunk));
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") process.nextTick(done as () => void);
    return true;
  };
}

/**
 * Sends what this process prints, through `console` or its streams, to the cell that prints it.
 * @param typed gives text with stack frames the places that were typed
 * @returns what ends the groups that a cell has left open, which would move all later output to the right
 */
export function captureOutput(outlet: Outlet, typed: (text: string) => string = (text) => text): () => void {
  const streams = {
    stdout: { write: writer(outlet, "stdout", typed) },
    stderr: { write: writer(outlet, "stderr", typed) },
  };
  process.stdout.write = streams.stdout.write as typeof process.stdout.write;
  process.stderr.write = streams.stderr.write as typeof process.stderr.write;
  const own = new Console({
    stdout: streams.stdout as NodeJS.WritableStream,
    stderr: streams.stderr as NodeJS.WritableStream,
    // With errors to ignore, every line would add and remove a listener.
    ignoreErrors: false,
    colorMode: false,
  });
  globalThis.console = own;
  return () => {
    for (let i = 0; i < MOST_GROUPS; i++) own.groupEnd();
  };
}
