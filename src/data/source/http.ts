import { AtmorepError, isAtmorepError } from "../../errors.js";
import { type ByteSource, METADATA_BYTES, sliceRange, tooLarge } from "./types.js";

const TIMEOUT_MS = 60_000;
const ATTEMPTS = 3;
const PAUSE_MS = 200;

/**
 * A store below an http address; query parameters of the address (such as signatures) go with every request.
 * 404 means that there is no such key; other failures of the server and of the network are tried again, then reported.
 */
export function httpSource(address: string): ByteSource {
  const base = new URL(address);
  if (base.pathname.toLowerCase().endsWith(".zip")) {
    throw new AtmorepError("input", "a zip file cannot be read over http", {
      where: address,
      fix: "Download it, or serve the unpacked folder",
    });
  }
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const addressOf = (key: string) => {
    const url = new URL(key.slice(1), base);
    url.search = base.search;
    return url.href;
  };
  return {
    remote: true,
    get: async (key, limit = METADATA_BYTES) => (await request(addressOf(key), limit))?.bytes,
    async getRange(key, range, limit = METADATA_BYTES) {
      const header =
        "suffixLength" in range
          ? `bytes=-${range.suffixLength}`
          : `bytes=${range.offset}-${range.offset + range.length - 1}`;
      const answer = await request(addressOf(key), limit, { Range: header });
      if (!answer) return undefined;
      // A server without range requests sends the whole file with status 200.
      return answer.status === 206 ? answer.bytes : sliceRange(answer.bytes, range);
    },
    close: async () => {},
  };
}

async function request(
  url: string,
  limit: number,
  headers: Record<string, string> = {},
): Promise<{ status: number; bytes: Uint8Array } | undefined> {
  for (let attempt = 1; ; attempt++) {
    let failure: string;
    let cause: unknown;
    let final = attempt >= ATTEMPTS;
    try {
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.ok) return { status: response.status, bytes: await body(response, url, limit) };
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      failure = `the server answered ${response.status} ${response.statusText}`.trimEnd();
      final ||= response.status < 500 && response.status !== 429;
    } catch (error) {
      if (isAtmorepError(error)) throw error;
      cause = error;
      const reason = (error as Error).cause;
      failure = `no answer (${reason instanceof Error ? reason.message || (reason as NodeJS.ErrnoException).code : (error as Error).message})`;
    }
    if (final) {
      throw new AtmorepError("input", failure, {
        where: url,
        fix: "Check the address and that the server is up",
        cause,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt));
  }
}

/** The whole answer; one that goes on beyond the bound is cut off. */
async function body(response: Response, url: string, limit: number): Promise<Uint8Array> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  const pieces: Uint8Array[] = [];
  let length = 0;
  if (announced <= limit) {
    for await (const piece of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
      length += piece.length;
      // leaving the loop cancels the answer
      if (length > limit) throw tooLarge(url, "an answer that goes on", limit);
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
  await response.body?.cancel();
  throw tooLarge(url, announced, limit);
}
