/** Sends one after the other: ZeroMQ's sockets refuse a second send while one waits. */

/** The part of a socket that is needed here. */
export interface Sender {
  send(frames: (Buffer | string)[]): Promise<void>;
}

export class Outbox {
  readonly #socket: Sender;
  readonly #queue: (Buffer | string)[][] = [];
  #bytes = 0;
  #sending: Promise<void> | undefined;

  constructor(socket: Sender) {
    this.#socket = socket;
  }

  /** Bytes that wait to be sent. */
  get bytes(): number {
    return this.#bytes;
  }

  push(frames: (Buffer | string)[]): void {
    this.#queue.push(frames);
    this.#bytes += size(frames);
    this.#sending ??= this.#run();
  }

  /** Resolves once everything pushed so far has been handed to ZeroMQ. */
  async drained(): Promise<void> {
    await this.#sending;
  }

  async #run(): Promise<void> {
    for (let frames = this.#queue.shift(); frames !== undefined; frames = this.#queue.shift()) {
      await this.#send(frames);
      this.#bytes -= size(frames);
    }
    this.#sending = undefined;
  }

  async #send(frames: (Buffer | string)[]): Promise<void> {
    for (let wait = 1; ; wait = Math.min(2 * wait, 20)) {
      try {
        await this.#socket.send(frames);
        return;
      } catch (error) {
        // Otherwise the peer is gone (an unreachable identity, a closed socket): nobody is left to tell.
        if (!isBusy(error)) return;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** A publisher that must not drop refuses with this code while a subscriber's queue is full. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "EAGAIN";
}

function size(frames: readonly (Buffer | string)[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0);
}
