/**
 * What the two threads of the kernel say to each other. The main thread runs cells; a worker thread owns the sockets,
 * so that heartbeats, interrupts and output go on while a cell keeps the main thread busy.
 */

/** A MIME bundle: media type to content (text, or JSON for JSON types). */
export type MimeBundle = Record<string, unknown>;

/** Messages of Jupyter's protocol that a cell may publish on iopub. */
export type PublishedType =
  | "display_data"
  | "update_display_data"
  | "execute_result"
  | "clear_output"
  | "error"
  | CommType;

/** Messages of comms, in both directions. */
export type CommType = "comm_open" | "comm_msg" | "comm_close";

/** What messages of comms carry beside their content; buffers in base64, for the ring has text. */
export interface CarriedText {
  metadata?: Record<string, unknown>;
  buffers?: string[];
}

/** From the cell thread to the wire thread, in order, through the ring. `run` numbers the execute request. */
export type Event =
  | { kind: "ready" }
  | { kind: "publish"; run: number; type: PublishedType; content: Record<string, unknown>; carried?: CarriedText }
  | { kind: "reply"; id: number; content: Record<string, unknown> }
  | { kind: "input"; run: number; prompt: string; password: boolean }
  | { kind: "compiled"; run: number }
  | { kind: "interrupt" };

export interface ExecuteRequest {
  type: "execute";
  id: number;
  code: string;
  /** the number shown in `In [n]` */
  count: number;
  silent: boolean;
  /** false in headless runs (nbclient, nbconvert) */
  allowStdin: boolean;
  /** of a shell beside the main one */
  beside: boolean;
  /** a debugger is attached: the compiled cell waits for "begin" */
  debug: boolean;
}

/** A message of a comm that the page sent; answered when its handler is done. */
export interface CommRequest {
  type: "comm";
  id: number;
  kind: CommType;
  content: Record<string, unknown>;
  metadata: Record<string, unknown>;
  buffers: Uint8Array[];
}

/** From the wire thread to the cell thread. Every request with an `id` is answered by one `reply` event. */
export type Request =
  | ExecuteRequest
  | CommRequest
  | { type: "complete"; id: number; code: string; cursor: number }
  | { type: "inspect"; id: number; code: string; cursor: number; detail: number }
  | { type: "isComplete"; id: number; code: string }
  /** `run` numbers the cell; without one, nothing is at work */
  | { type: "interrupt"; id: number; run: number | undefined; force: boolean }
  | { type: "begin"; run: number }
  | { type: "input"; run: number; value: string }
  | { type: "shutdown"; code: number };

/** What a Jupyter client writes into the connection file. */
export interface Connection {
  transport: string;
  ip: string;
  key: string;
  signature_scheme: string;
  shell_port: number;
  control_port: number;
  iopub_port: number;
  stdin_port: number;
  hb_port: number;
}

/** Given to the wire thread at its start. */
export interface WireOptions {
  connection: Connection;
  memory: SharedArrayBuffer;
  /** written into `kernel_info_reply` */
  info: { implementation: string; version: string; language: string; banner: string };
}
