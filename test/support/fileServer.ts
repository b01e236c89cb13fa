/** A file server as they stand in front of stores, which can be made to fail in the ways that networks do. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface FileServer {
  address: string;
  /** "GET /path", "GET /path range", in order */
  asked: string[];
  headers: IncomingMessage["headers"][];
  /** answers in its own way and says true, or leaves the request to the files */
  fault: ((path: string, response: ServerResponse, request: IncomingMessage) => boolean) | null;
  /** the bytes of a file, changed before they are sent */
  change: ((path: string, bytes: Buffer) => Buffer) | null;
  close(): Promise<void>;
  reopen(): Promise<void>;
}

export interface Manners {
  etag?: boolean;
  lastModified?: boolean;
  ranges?: boolean;
}

/** Serves a folder on a port of its own until the test ends. */
export async function serveFolder(
  root: string,
  { etag = true, lastModified = true, ranges = true }: Manners = {},
): Promise<FileServer> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = decodeURIComponent(new URL(request.url ?? "", "http://x").pathname);
    served.asked.push(`GET ${path}${request.headers.range ? ` ${request.headers.range}` : ""}`);
    served.headers.push(request.headers);
    if (served.fault?.(path, response, request)) return;
    let bytes: Buffer;
    let modified: Date;
    try {
      modified = statSync(join(root, path)).mtime;
      bytes = readFileSync(join(root, path));
    } catch {
      response.writeHead(404).end();
      return;
    }
    bytes = served.change?.(path, bytes) ?? bytes;
    const tag = `"${createHash("md5").update(bytes).digest("hex")}"`;
    if (etag) response.setHeader("ETag", tag);
    if (lastModified) response.setHeader("Last-Modified", modified.toUTCString());
    const since = Date.parse(request.headers["if-modified-since"] ?? "");
    const unchanged = Math.floor(modified.getTime() / 1000) * 1000 <= since;
    if ((etag && request.headers["if-none-match"] === tag) || (lastModified && unchanged)) {
      response.writeHead(304).end();
      return;
    }
    const asked = ranges ? /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "") : null;
    if (!asked) {
      response.end(bytes);
      return;
    }
    const from = asked[1] === "" ? Math.max(0, bytes.length - Number(asked[2])) : Number(asked[1]);
    const to = asked[1] === "" || asked[2] === "" ? bytes.length : Math.min(bytes.length, Number(asked[2]) + 1);
    if (from >= bytes.length) {
      response.writeHead(416).end();
      return;
    }
    response.writeHead(206, { "Content-Range": `bytes ${from}-${to - 1}/${bytes.length}` });
    response.end(bytes.subarray(from, to));
  };
  let server = createServer(answer);
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const served: FileServer = {
    address: `http://127.0.0.1:${port}`,
    asked: [],
    headers: [],
    fault: null,
    change: null,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    reopen: () => {
      server = createServer(answer);
      return listen(port);
    },
  };
  onTestFinished(() => served.close());
  return served;
}
