/** V8's inspector of the cell thread, from the wire thread: it answers while a cell computes, and while it is stopped. */
import { type InspectorNotification, Session } from "node:inspector";

export type Params = Record<string, unknown>;

export class MainThread {
  #session: Session | undefined;
  readonly #listeners: [string, (params: never) => void][] = [];

  /** Calls `listener` at a notification, also of sessions that are opened later. */
  on<T>(event: string, listener: (params: T) => void): void {
    this.#listeners.push([event, listener]);
  }

  /** Asks; opens a session where there is none. @throws Error with the inspector's message */
  post<T = Params>(method: string, params: Params = {}): Promise<T> {
    this.#session ??= this.#open();
    const session = this.#session;
    return new Promise((resolve, reject) => {
      session.post(method, params, (error: Error | null, result?: object) => {
        if (error) reject(new Error(error.message));
        else resolve(result as T);
      });
    });
  }

  /** Ends the session; a stopped cell goes on. A process with an open one would wait at its exit. */
  close(): void {
    this.#session?.disconnect();
    this.#session = undefined;
  }

  #open(): Session {
    const session = new Session();
    session.connectToMainThread();
    for (const [event, listener] of this.#listeners) {
      session.on(event, (message: InspectorNotification<object>) => listener(message.params as never));
    }
    return session;
  }
}
