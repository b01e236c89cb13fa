/** Jupyter's messages as frames of ZeroMQ: identities, delimiter, signature, header, parent, metadata, content. */
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

const DELIMITER = "<IDS|MSG>";
const PROTOCOL_VERSION = "5.4";
const KEPT_SIGNATURES = 65_536;

export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
  /** the shell that a request is for; none for the main one */
  subshell_id?: string | null;
}

export interface Message {
  identities: Buffer[];
  header: Header;
  parent: Partial<Header> & Record<string, unknown>;
  metadata: Record<string, unknown>;
  content: Record<string, unknown>;
  /** bytes that follow the content */
  buffers: Buffer[];
  /** as it came; empty for an empty key */
  signature: string;
}

/** SHA-256 HMAC of the four parts, hexadecimal; empty for an empty key. */
export function sign(key: string, parts: readonly (Buffer | string)[]): string {
  if (key === "") return "";
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

/**
 * Reads a message.
 * @throws Error if the delimiter is missing, the signature is wrong, or a part is not the JSON object that it must be
 */
export function decode(key: string, frames: readonly Buffer[]): Message {
  const at = frames.findIndex((frame) => frame.equals(Buffer.from(DELIMITER)));
  if (at < 0) throw new Error("message without delimiter");
  const parts = frames.slice(at + 2, at + 6);
  if (parts.length < 4) throw new Error(`message of ${parts.length} parts, expected 4`);
  const expected = Buffer.from(sign(key, parts));
  const found = frames[at + 1];
  if (found.length !== expected.length || !timingSafeEqual(found, expected)) throw new Error("wrong signature");
  const [header, parent, metadata, content] = parts.map((part, i) => objectOf(part, PART_NAMES[i]));
  for (const name of ["msg_id", "msg_type"]) {
    if (typeof header[name] !== "string") throw new Error(`a header without ${name}`);
  }
  const signature = found.toString("latin1");
  return {
    identities: frames.slice(0, at),
    header: header as unknown as Header,
    parent,
    metadata,
    content,
    buffers: frames.slice(at + 6),
    signature,
  };
}

const PART_NAMES = ["header", "parent header", "metadata", "content"];

function objectOf(part: Buffer, name: string): Record<string, unknown> {
  const value: unknown = JSON.parse(part.toString("utf8"));
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`a ${name} that is no object`);
}

/** Signatures that were seen: who listens in could send a message again. */
export class Replays {
  private readonly seen = new Set<string>();

  /** @throws Error for a signature that came before. An empty one signs nothing, so it is not remembered. */
  check({ signature }: Pick<Message, "signature">): void {
    if (signature === "") return;
    if (this.seen.has(signature)) throw new Error("a message that came before");
    this.seen.add(signature);
    if (this.seen.size <= KEPT_SIGNATURES) return;
    const [oldest] = this.seen;
    this.seen.delete(oldest);
  }
}

/** What only messages of comms have. */
export interface Carried {
  metadata?: Record<string, unknown>;
  buffers?: readonly Buffer[];
}

/**
 * Frames of a message that answers `parent`.
 * @param identities where to (a router's peers), or the topic (iopub)
 */
export function encode(
  key: string,
  identities: readonly (Buffer | string)[],
  type: string,
  parent: Partial<Header>,
  content: Record<string, unknown>,
  session: string,
  { metadata = {}, buffers = [] }: Carried = {},
): (Buffer | string)[] {
  const header: Header = {
    msg_id: randomUUID(),
    msg_type: type,
    session,
    username: "kernel",
    date: new Date().toISOString(),
    version: PROTOCOL_VERSION,
  };
  const parts = [header, parent, metadata, content].map((part) => JSON.stringify(part));
  return [...identities, DELIMITER, sign(key, parts), ...parts, ...buffers];
}
