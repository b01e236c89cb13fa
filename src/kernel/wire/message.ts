/** Jupyter's messages as frames of ZeroMQ: identities, delimiter, signature, header, parent, metadata, content. */
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

const DELIMITER = "<IDS|MSG>";
const PROTOCOL_VERSION = "5.4";

export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
}

export interface Message {
  identities: Buffer[];
  header: Header;
  parent: Header | Record<string, never>;
  metadata: Record<string, unknown>;
  content: Record<string, unknown>;
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
 * @throws Error if the delimiter is missing, the signature is wrong or a part is not JSON
 */
export function decode(key: string, frames: readonly Buffer[]): Message {
  const at = frames.findIndex((frame) => frame.equals(Buffer.from(DELIMITER)));
  if (at < 0) throw new Error("message without delimiter");
  const parts = frames.slice(at + 2, at + 6);
  if (parts.length < 4) throw new Error(`message of ${parts.length} parts, expected 4`);
  const expected = Buffer.from(sign(key, parts));
  const found = frames[at + 1];
  if (found.length !== expected.length || !timingSafeEqual(found, expected)) throw new Error("wrong signature");
  const [header, parent, metadata, content] = parts.map((part) => JSON.parse(part.toString("utf8")));
  return { identities: frames.slice(0, at), header, parent, metadata, content };
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
): (Buffer | string)[] {
  const header: Header = {
    msg_id: randomUUID(),
    msg_type: type,
    session,
    username: "kernel",
    date: new Date().toISOString(),
    version: PROTOCOL_VERSION,
  };
  const parts = [header, parent, {}, content].map((part) => JSON.stringify(part));
  return [...identities, DELIMITER, sign(key, parts), ...parts];
}
