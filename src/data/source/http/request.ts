/** One request to a server as networks are: patient with what passes, clear about what does not. */
import { randomInt } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { Dispatcher } from "undici";
import { AtmorepError, isAtmorepError } from "../../../errors.js";
import { cut, shown } from "../../../shown.js";
import { tooLarge } from "../types.js";

/** What one server is known by, and how it has behaved. */
export interface Server {
  origin: string;
  authorization: string | undefined;
  /** it has answered once: what fails now is taken for an outage, not for a wrong address */
  answered: boolean;
  /** since when it fails, milliseconds; told once an outage */
  failingSince: number | null;
}

export interface Asked {
  /** bound of the body in bytes */
  limit: number;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Uint8Array;
}

/** At once to one server; more wait for their turn. */
export const REQUESTS_AT_ONCE = 24;
/** without a byte for so long, a request has failed */
const SILENCE_MS = 60_000;
/** so long may an answer take in all */
const LONGEST_MS = 600_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;
/** an address that has never answered is tried for so long */
const FIRST_PATIENCE_MS = 3_000;
/** and so often, however long a busy thread takes for it */
const FIRST_ATTEMPTS = 3;
const MOST_REDIRECTS = 5;

/** How long a server that has answered before may be away, in milliseconds: `ATMOREP_HTTP_PATIENCE` seconds, default 600. */
const patience = () => 1000 * Number(process.env.ATMOREP_HTTP_PATIENCE || 600);

let dispatcher: Promise<{ request: typeof import("undici").request; agent: Dispatcher }> | undefined;

/** The connections of this thread, through the proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name. */
function connections() {
  dispatcher ??= import("undici").then(({ request, EnvHttpProxyAgent }) => ({
    request,
    agent: new EnvHttpProxyAgent({
      connections: REQUESTS_AT_ONCE,
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      connect: { timeout: 20_000 },
    }),
  }));
  return dispatcher;
}

/** A failure that may pass. */
class Passing extends Error {
  constructor(
    message: string,
    readonly pauseMs?: number,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/**
 * The answer to a GET, 404 and 304 included. What may pass (no answer, an answer that breaks off, 429, 5xx) is tried
 * again, after as long as the server asks for, for minutes if the server has answered before.
 * @throws AtmorepError (input) naming the address without its query
 */
export async function get(server: Server, url: URL, asked: Asked): Promise<Answer> {
  const began = Date.now();
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await once(server, url, asked);
      recovered(server);
      return answer;
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
      const bound = server.answered ? patience() : Math.min(FIRST_PATIENCE_MS, patience());
      // processes that lost the same server must not all come back at once
      const pause =
        error.pauseMs ?? Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS) * (1 + randomInt(512) / 1024);
      const isTried = server.answered || attempt + 1 >= FIRST_ATTEMPTS || pause > bound;
      if (isTried && Date.now() - began + pause > bound) throw givenUp(url, error, Date.now() - began);
      if (server.answered && (attempt > 0 || pause > 5_000)) tellOutage(server, error.message, bound);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

function givenUp(url: URL, { message, cause }: Passing, after: number): AtmorepError {
  return new AtmorepError("input", message, {
    where: nameOf(url),
    found: after > 10_000 ? `the same for ${Math.round(after / 1000)} s` : undefined,
    fix: "Check the address and that the server is up",
    cause,
  });
}

function tellOutage(server: Server, failure: string, bound: number): void {
  if (server.failingSince !== null) return;
  server.failingSince = Date.now();
  process.stderr.write(
    shown(`${server.origin}: ${cut(failure)}; trying again for up to ${Math.round(bound / 1000)} s\n`),
  );
}

function recovered(server: Server): void {
  server.answered = true;
  if (server.failingSince === null) return;
  process.stderr.write(
    `${server.origin}: answers again after ${Math.round((Date.now() - server.failingSince) / 1000)} s\n`,
  );
  server.failingSince = null;
}

/** An address as messages name it: queries carry signatures. */
export const nameOf = (url: URL) => `${url.origin}${url.pathname}`;

async function once(server: Server, first: URL, asked: Asked): Promise<Answer> {
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const { request, agent } = await connections();
    // another server is not told the password
    const authorization = url.origin === server.origin ? server.authorization : undefined;
    const signal = AbortSignal.timeout(LONGEST_MS);
    const { statusCode, headers, body } = await request(url, {
      dispatcher: agent,
      signal,
      headers: { "accept-encoding": "identity", ...(authorization && { authorization }), ...asked.headers },
    }).catch((cause) => {
      throw noAnswer(cause);
    });
    const location = headers.location;
    if (statusCode >= 300 && statusCode < 400 && typeof location === "string") {
      await discard(body);
      url = redirected(url, location, redirects);
      continue;
    }
    if (statusCode === 404 || statusCode === 410 || statusCode === 304 || statusCode === 416) {
      await discard(body);
      return { status: statusCode === 410 ? 404 : statusCode, headers, bytes: new Uint8Array(0) };
    }
    if (statusCode < 200 || statusCode > 299) {
      await discard(body);
      throw refusal(statusCode, headers, url, authorization !== undefined);
    }
    const bytes = await bodyOf(body, headers, url, asked.limit);
    const type = String(headers["content-type"] ?? "");
    if (/^text\/html\b/i.test(type)) {
      throw new AtmorepError("input", "the server answered with a web page instead of the file", {
        where: nameOf(url),
        found: type,
        fix: "Is it the address of the store itself? A page to log in on looks like this, too",
      });
    }
    return { status: statusCode, headers, bytes };
  }
}

function noAnswer(error: unknown): Passing {
  if (error instanceof Passing) return error;
  const { message, code, name } = error as NodeJS.ErrnoException;
  const inner = (error as { errors?: Error[] }).errors?.[0]?.message;
  const reason = name === "TimeoutError" ? `not whole after ${LONGEST_MS / 1000} s` : message || inner || code;
  return new Passing(`no answer (${reason})`, undefined, error);
}

function redirected(from: URL, location: string, redirects: number): URL {
  const url = new URL(location, from);
  if (url.protocol !== from.protocol) {
    throw new AtmorepError("input", "the server sends on to another scheme, which is not followed", {
      where: nameOf(from),
      found: nameOf(url),
      fix: `Give the address that it names, if you trust it`,
    });
  }
  if (redirects >= MOST_REDIRECTS) {
    throw new AtmorepError("input", "the server sends on and on", { where: nameOf(from), found: nameOf(url) });
  }
  return url;
}

/** The server has understood and says no. */
export class Refused extends AtmorepError {
  constructor(
    readonly status: number,
    url: URL,
    fix: string,
  ) {
    super("input", `the server answered ${status}`, { where: nameOf(url), fix });
  }
}

/**
 * For a file that may well not be there: buckets that may not be listed answer 403 then, and give `instead`; whoever
 * needs the file is told.
 */
export const ifForbidden =
  <T>(instead: T) =>
  (error: unknown): T => {
    if (error instanceof Refused && error.status === 403) return instead;
    throw error;
  };

function refusal(status: number, headers: Answer["headers"], url: URL, identified: boolean): Error {
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    return new Passing(`the server answered ${status}`, retryAfter(headers["retry-after"]));
  }
  const fix =
    status === 401 || status === 403
      ? identified
        ? "The name and password that were sent do not open it"
        : "It may want a name and password: a line in ~/.netrc, or the variable ATMOREP_AUTHORIZATION"
      : "Check the address";
  return new Refused(status, url, fix);
}

/** Milliseconds that a `Retry-After` header asks for: seconds or a date. */
export function retryAfter(header: string | string[] | undefined, now = Date.now()): number | undefined {
  if (typeof header !== "string") return undefined;
  const at = /^\s*\d+\s*$/.test(header) ? now + 1000 * Number(header) : Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

async function discard(body: Dispatcher.ResponseData["body"]): Promise<void> {
  await body.dump({ limit: 65_536 }).catch(() => {});
}

/** The whole body; one that goes on beyond the bound is cut off. */
async function bodyOf(
  body: Dispatcher.ResponseData["body"],
  headers: Answer["headers"],
  url: URL,
  limit: number,
): Promise<Uint8Array> {
  const announced = Number(headers["content-length"] ?? 0);
  const bound = () => tooLarge(nameOf(url), announced > limit ? announced : "an answer that goes on", limit);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    if (announced > limit) throw bound();
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
      length += piece.length;
      if (length > limit) throw bound();
    }
  } catch (error) {
    body.destroy();
    throw isAtmorepError(error)
      ? error
      : new Passing(`the answer broke off (${(error as Error).message})`, undefined, error);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  if (!/^x?-?gzip$/i.test(String(headers["content-encoding"] ?? ""))) return bytes;
  // Some servers compress what they are asked to leave as it is.
  try {
    return Uint8Array.from(gunzipSync(bytes, { maxOutputLength: limit }));
  } catch (cause) {
    throw new Passing("the answer is not the gzip that it says", undefined, cause);
  }
}
