/** The checksum of a file, read in pieces, since wheels and libraries have hundreds of megabytes. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** SHA-256: hexadecimal as package indexes write it, base64url as wheels do. */
export async function sha256Of(file: string, encoding: "hex" | "base64url"): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest(encoding);
}
