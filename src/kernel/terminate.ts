/** Stops JavaScript that does not come back to the event loop, through V8's inspector from another thread. */
import { Session } from "node:inspector";

/**
 * Ends whatever runs on the main thread now; it cannot be caught there. The session is closed again at once: a process
 * with an open session waits at its exit.
 */
export function terminateMainThread(): Promise<void> {
  return new Promise((resolve) => {
    const session = new Session();
    session.connectToMainThread();
    const close = () => {
      session.disconnect();
      resolve();
    };
    const timer = setTimeout(close, 200);
    session.post("Runtime.terminateExecution", () => {
      clearTimeout(timer);
      close();
    });
  });
}
