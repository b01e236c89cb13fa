/** Reads the ring and publishes: text is merged into few messages, everything else keeps its place between the texts. */
import type { Event } from "./protocol.js";
import type { Frame, RingReader } from "./ring.js";

/** Text of one message at most; a burst leaves in messages of about this size. */
const CHUNK_BYTES = 256 * 1024;
/** How long text may wait for more of its kind. */
const MERGE_MS = 25;
/** Reading stops while more than this waits for the sockets. */
const BACKLOG_BYTES = 2 * 1024 * 1024;
const SLICE = 512;

export interface OutputSink {
  /** publishes text of a run */
  stream(run: number, name: "stdout" | "stderr", text: string): void;
  /** handles an event; awaited before what follows it is read */
  event(event: Event): void;
  backlog(): number;
  drained(): Promise<void>;
}

/** Follows the ring until the process ends; `wake` is called when a frame was written to a sleeping reader. */
export class OutputPump {
  readonly #ring: RingReader;
  readonly #sink: OutputSink;
  #texts: Buffer[] = [];
  #bytes = 0;
  #run = 0;
  #name: "stdout" | "stderr" = "stdout";
  #parts: Buffer[] = [];
  #flushed = 0;
  #timer: NodeJS.Timeout | undefined;
  #reading = false;

  constructor(ring: RingReader, sink: OutputSink) {
    this.#ring = ring;
    this.#sink = sink;
  }

  wake(): void {
    if (!this.#reading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    for (;;) {
      for (let i = 0; i < SLICE; i++) {
        const frame = this.#ring.read();
        if (frame === undefined) {
          if (!this.#ring.sleep()) continue;
          this.#reading = false;
          this.#flushSoon();
          return;
        }
        this.#take(frame);
        if (this.#sink.backlog() > BACKLOG_BYTES) await this.#sink.drained();
      }
      // Other work of this thread (heartbeat, interrupts) goes between the slices.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #take(frame: Frame): void {
    if (frame.kind === "event") {
      this.#parts.push(frame.bytes);
      if (frame.more) return;
      const event = JSON.parse(Buffer.concat(this.#parts).toString("utf8")) as Event;
      this.#parts = [];
      this.flush();
      this.#sink.event(event);
      return;
    }
    if (this.#bytes > 0 && (frame.run !== this.#run || frame.kind !== this.#name)) this.flush();
    this.#run = frame.run;
    this.#name = frame.kind;
    this.#texts.push(frame.bytes);
    this.#bytes += frame.bytes.length;
    if (this.#bytes >= CHUNK_BYTES) this.flush();
  }

  #flushSoon(): void {
    if (this.#bytes === 0 || this.#timer !== undefined) return;
    const wait = this.#flushed + MERGE_MS - performance.now();
    if (wait <= 0) this.flush();
    else this.#timer = setTimeout(() => this.flush(), wait);
  }

  /** Publishes the text read so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#bytes === 0) return;
    const text = Buffer.concat(this.#texts).toString("utf8");
    this.#texts = [];
    this.#bytes = 0;
    this.#flushed = performance.now();
    this.#sink.stream(this.#run, this.#name, text);
  }
}
