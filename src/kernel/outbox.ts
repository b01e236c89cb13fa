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
      try {
        await this.#socket.send(frames);
      } catch {
        // The peer is gone (a router's unreachable identity, a closed socket): nobody is left to tell.
      }
      this.#bytes -= size(frames);
    }
    this.#sending = undefined;
  }
}

function size(frames: readonly (Buffer | string)[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0);
}
