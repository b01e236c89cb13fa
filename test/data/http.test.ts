/** Stores over networks as they are: slow, failing, changing, lying; what comes through is right or one clear message. */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { netrcEntry } from "../../src/data/source/http/credentials.js";
import { retryAfter } from "../../src/data/source/http/request.js";
import { openSource } from "../../src/data/source/index.js";
import { openStore, type Store } from "../../src/data/store.js";
import { type FileServer, serveFolder } from "../support/fileServer.js";
import { tempDir } from "../support/tempDir.js";

const STORM = "assets/storm_199601.zarr";

/** Environment of a test, put back afterwards; no cache on disk unless asked for. */
function environment(values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}
beforeEach(() => {
  environment({ ATMOREP_HTTP_CACHE: "off", ATMOREP_HTTP_PATIENCE: "20", NETRC: "/nowhere" });
});

const cached = () => {
  const folder = join(tempDir(), "cache");
  environment({ ATMOREP_HTTP_CACHE: folder });
  return folder;
};

function told(): string[] {
  const lines: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  onTestFinished(() => spy.mockRestore());
  return lines;
}

/** All values of the first chunk of the surface fields. */
async function firstChunk(store: Store): Promise<Float32Array> {
  const { data_sfc } = store.arrays;
  const { values, release } = await data_sfc!.chunk(data_sfc!.shape.map(() => 0));
  const copy = Float32Array.from(values);
  release();
  return copy;
}
async function fromFolder(path = STORM): Promise<Float32Array> {
  const store = await openStore(path);
  const values = await firstChunk(store);
  await store.close();
  return values;
}
async function over(server: FileServer): Promise<Float32Array> {
  const store = await openStore(`${server.address}/`);
  try {
    return await firstChunk(store);
  } finally {
    await store.close();
  }
}
const isChunk = (path: string) => /\/data_sfc\/(c\/)?\d/.test(path);

describe("a server with faults", () => {
  it.each([500, 502, 503, 429, 408])("that answers %d every second time is asked again", async (status) => {
    const server = await serveFolder(STORM);
    let n = 0;
    server.fault = (_, response) => {
      if (n++ % 2 === 0) return false;
      response.writeHead(status, { "Retry-After": "0" }).end();
      return true;
    };
    expect(await over(server)).toEqual(await fromFolder());
  });

  it("that is away for seconds is waited for, told in two lines", async () => {
    const lines = told();
    const server = await serveFolder(STORM);
    const store = await openStore(`${server.address}/`);
    await server.close();
    setTimeout(() => void server.reopen(), 2500);
    expect(await firstChunk(store)).toEqual(await fromFolder());
    await store.close();
    expect(lines.length).toBe(2);
    expect(lines[0]).toMatch(/no answer \(.*ECONNREFUSED.*\); trying again for up to 20 s/);
    expect(lines[1]).toMatch(/answers again after \d+ s/);
  });

  it("that is away when a thread of the run opens the store is waited for as in the midst of a run", async () => {
    told();
    const server = await serveFolder(STORM);
    const first = await openStore(`${server.address}/`);
    await server.close();
    setTimeout(() => void server.reopen(), 5000);
    const second = await openStore(`${server.address}/`, { session: first.session });
    expect(await firstChunk(second)).toEqual(await fromFolder());
    await Promise.all([first.close(), second.close()]);
  });

  it("that stays away ends the wait with one message that names the chunk", async () => {
    told();
    environment({ ATMOREP_HTTP_PATIENCE: "2" });
    const server = await serveFolder(STORM);
    const store = await openStore(`${server.address}/`);
    await server.close();
    await expect(firstChunk(store)).rejects.toThrow(/\/data_sfc\/.*: no answer/);
  });

  it("that sends half of a chunk, with and without saying so, is asked again", async () => {
    const server = await serveFolder(STORM);
    const halved = new Set<string>();
    server.fault = (path, response) => {
      if (!isChunk(path) || halved.has(path)) return false;
      halved.add(path);
      const bytes = readFileSync(join(STORM, path));
      const half = bytes.subarray(0, bytes.length >> 1);
      response.writeHead(200, { "Content-Length": String(half.length) }).end(half);
      return true;
    };
    expect(await over(server)).toEqual(await fromFolder());
    halved.clear();
    server.fault = (path, response) => {
      if (!isChunk(path) || halved.has(path)) return false;
      halved.add(path);
      const bytes = readFileSync(join(STORM, path));
      response.writeHead(200, { "Content-Length": String(bytes.length) });
      response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
      return true;
    };
    expect(await over(server)).toEqual(await fromFolder());
    server.fault = null;
    server.change = (path, bytes) => (isChunk(path) ? bytes.subarray(0, bytes.length - 40) : bytes);
    await expect(over(server)).rejects.toThrow(/data_sfc\/.*a chunk is damaged/);
  });

  it("that never ends an answer is cut off", async () => {
    const server = await serveFolder(STORM);
    server.fault = (path, response) => {
      if (!isChunk(path)) return false;
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20)));
      };
      response.on("drain", more);
      more();
      return true;
    };
    await expect(over(server)).rejects.toThrow(/data_sfc\/.*larger than what it should hold.*an answer that goes on/);
  });

  it.each([
    ["a web page", { "Content-Type": "text/html; charset=utf-8" }, 200, /web page instead of the file/],
    ["403", {}, 403, /the server answered 403.*netrc/],
    ["401", {}, 401, /the server answered 401.*netrc/],
    ["400", {}, 400, /the server answered 400/],
    ["a redirect to another scheme", { Location: "ftp://127.0.0.1/x" }, 302, /another scheme.*ftp:/],
    ["a redirect to https", { Location: "https://127.0.0.1/x" }, 301, /another scheme.*https:/],
    ["a redirect to itself", { Location: "" }, 302, /sends on and on/],
  ])("that answers with %s is told as that", async (_, headers, status, message) => {
    const server = await serveFolder(STORM);
    server.fault = (path, response) => {
      if (!isChunk(path)) return false;
      response.writeHead(status, headers as Record<string, string>).end("<html></html>");
      return true;
    };
    const before = Date.now();
    await expect(over(server)).rejects.toThrow(message);
    expect(Date.now() - before).toBeLessThan(10_000);
  });

  it("that says not modified to who asked for the file is told; the file does not count as absent", async () => {
    const server = await serveFolder(STORM);
    server.fault = (path, response) => {
      if (isChunk(path)) response.writeHead(304).end();
      return isChunk(path);
    };
    await expect(over(server)).rejects.toThrow(/data_sfc\/.*nothing has changed, though it was asked for the file/);
  });

  it("that redirects is followed, without the password to another server", async () => {
    const other = await serveFolder(STORM);
    const server = await serveFolder(STORM);
    environment({ ATMOREP_AUTHORIZATION: "Bearer secret" });
    server.fault = (path, response) => {
      if (isChunk(path)) response.writeHead(307, { Location: other.address + path }).end();
      return isChunk(path);
    };
    expect(await over(server)).toEqual(await fromFolder());
    expect(server.headers.every(({ authorization }) => authorization === "Bearer secret")).toBe(true);
    expect(other.headers.length).toBeGreaterThan(0);
    expect(other.headers.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it("that answers 403 for what is not there, as buckets do, serves its stores", async () => {
    const server = await serveFolder(STORM);
    server.fault = (path, response) => {
      const missing = !statSync(join(STORM, path), { throwIfNoEntry: false });
      if (missing) response.writeHead(403).end();
      return missing;
    };
    expect(await over(server)).toEqual(await fromFolder());
  });

  it("that speaks no HTTP, or hangs up, is told", async () => {
    for (const greet of [
      (socket: Socket) => socket.resume().end("SSH-2.0-OpenSSH\r\n"),
      (socket: Socket) => socket.destroy(),
    ]) {
      const server = createServer(greet);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      await expect(openStore(`http://127.0.0.1:${port}/x.zarr`)).rejects.toThrow(/no answer/);
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe("parts of files", () => {
  const folderOf = (size: number) => {
    const dir = tempDir();
    writeFileSync(
      join(dir, "shard"),
      Uint8Array.from({ length: size }, (_, i) => i % 251),
    );
    return dir;
  };
  it.each([{ ranges: true }, { ranges: false }])("are those of the folder, %o", async (manners) => {
    const dir = folderOf(5000);
    const server = await serveFolder(dir, manners);
    const [there, here] = await Promise.all([openSource(server.address), openSource(dir)]);
    for (const range of [
      { offset: 10, length: 100 },
      { suffixLength: 33 },
      { suffixLength: 9000 },
      { offset: 4990, length: 100 },
    ]) {
      expect([...(await there.getRange("/shard", range))!]).toEqual([...(await here.getRange("/shard", range))!]);
    }
  });
  it("of large files are refused where the server sends the whole", async () => {
    const server = await serveFolder(folderOf(20 * 2 ** 20), { ranges: false });
    const source = await openSource(server.address);
    await expect(source.getRange("/shard", { offset: 0, length: 10 })).rejects.toThrow(/does not send parts of files/);
  });
});

describe("what changes on the server", () => {
  it.each([
    { etag: true, lastModified: true },
    { etag: false, lastModified: false },
  ])("while it is in use is an error that names the file, %o", async (manners) => {
    const dir = tempDir();
    writeFileSync(join(dir, "chunk"), new Uint8Array(100));
    const server = await serveFolder(dir, manners);
    const source = await openSource(server.address);
    expect((await source.get("/chunk"))!.length).toBe(100);
    expect((await source.get("/chunk"))!.length).toBe(100);
    writeFileSync(join(dir, "chunk"), new Uint8Array(100).fill(1));
    await expect(source.get("/chunk")).rejects.toThrow(/\/chunk: the file changed on the server while it was in use/);
    // one that opens the store anew sees it as it is
    expect((await (await openSource(server.address)).get("/chunk"))![0]).toBe(1);
  });

  it("is noticed by another thread of the same run", async () => {
    cached();
    const dir = tempDir();
    writeFileSync(join(dir, "a"), "one");
    const server = await serveFolder(dir);
    const [first, second] = [await openSource(server.address, "run"), await openSource(server.address, "run")];
    await first.get("/a");
    writeFileSync(join(dir, "a"), "two");
    // the run goes on with what it has read
    expect(Buffer.from((await second.get("/a"))!).toString()).toBe("one");
    const looks = ["zarr.json", ".zmetadata", ".zgroup", ".zarray", "repo", "refs/branch.main/ref.json"];
    const opening = looks.map((name) => `GET /${name}`);
    expect(server.asked).toEqual([...opening, "GET /a"]);
  });
});

describe("the cache on disk", () => {
  it("answers again without a request, and a new run asks only whether it still holds", async () => {
    cached();
    const server = await serveFolder(STORM);
    const store = await openStore(`${server.address}/`, { cacheBytes: 0 });
    const values = await firstChunk(store);
    const requests = server.asked.length;
    expect(await firstChunk(store)).toEqual(values);
    expect(server.asked.length).toBe(requests);
    await store.close();
    let bodies = 0;
    server.change = (_, bytes) => bytes;
    server.fault = (_, __, request) => {
      if (!request.headers["if-none-match"]) bodies++;
      return false;
    };
    expect(await over(server)).toEqual(values);
    // files that were not there are asked for again
    expect(bodies).toBeLessThan(server.asked.length - requests);
    expect(server.headers.filter((h) => h["if-none-match"]).length).toBeGreaterThan(3);
  });

  it("serves without a network when told to, and says what it lacks", async () => {
    cached();
    const server = await serveFolder(STORM);
    const values = await over(server);
    await server.close();
    environment({ ATMOREP_OFFLINE: "1" });
    expect(await over(server)).toEqual(values);
    const store = await openStore(`${server.address}/`);
    const { data_sfc } = store.arrays;
    const last = data_sfc!.shape.map((n, i) => Math.ceil(n / data_sfc!.chunkShape[i]) - 1);
    if (last.some((c) => c > 0)) {
      await expect(data_sfc!.chunk(last)).rejects.toThrow(/data_sfc\/.*not kept from earlier reads/);
    }
  });

  it("does not use what was changed in it, and takes the new version of a file", async () => {
    const folder = cached();
    const dir = tempDir();
    writeFileSync(join(dir, "a"), "first version");
    const server = await serveFolder(dir);
    const read = async () => Buffer.from((await (await openSource(server.address)).get("/a"))!).toString();
    expect(await read()).toBe("first version");
    for (const sub of readdirSync(join(folder, "bytes"))) {
      for (const name of readdirSync(join(folder, "bytes", sub)))
        writeFileSync(join(folder, "bytes", sub, name), "harm");
    }
    expect(await read()).toBe("first version");
    for (const name of readdirSync(join(folder, "entries")))
      writeFileSync(join(folder, "entries", name), '{"digest":"../x"');
    expect(await read()).toBe("first version");
    writeFileSync(join(dir, "a"), "other version");
    expect(await read()).toBe("other version");
  });

  it("does not trust a time of change that is younger than its own seconds", async () => {
    cached();
    const dir = tempDir();
    writeFileSync(join(dir, "a"), "one");
    const server = await serveFolder(dir, { etag: false });
    const read = async () => Buffer.from((await (await openSource(server.address)).get("/a"))!).toString();
    expect(await read()).toBe("one");
    const { atime, mtime } = statSync(join(dir, "a"));
    writeFileSync(join(dir, "a"), "two");
    utimesSync(join(dir, "a"), atime, mtime);
    expect(await read()).toBe("two");
    utimesSync(join(dir, "a"), 1e9, 1e9);
    expect(await read()).toBe("two");
    const before = server.asked.length;
    expect(await read()).toBe("two");
    const asked = server.asked.slice(before).map((line, i) => [line, server.headers[before + i]["if-modified-since"]]);
    expect(asked.filter(([line]) => line === "GET /a")).toEqual([["GET /a", new Date(1e12).toUTCString()]]);
    expect(asked.length).toBe(7);
  });

  it("stays below its bound", async () => {
    const folder = cached();
    environment({ ATMOREP_HTTP_CACHE_GIB: String(10 / 1024) });
    const dir = tempDir();
    for (let i = 0; i < 40; i++) writeFileSync(join(dir, `${i}`), Buffer.alloc(2 ** 20, i));
    const server = await serveFolder(dir);
    const source = await openSource(server.address);
    for (let i = 0; i < 40; i++) expect((await source.get(`/${i}`))![5]).toBe(i);
    await source.close();
    const bytes = join(folder, "bytes");
    const sizes = readdirSync(bytes).flatMap((sub) =>
      readdirSync(join(bytes, sub)).map((name) => statSync(join(bytes, sub, name)).size),
    );
    expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(11 * 2 ** 20);
    // what was dropped comes again
    expect((await source.get("/0"))![5]).toBe(0);
  });

  it("is done without where the disk is full or the folder cannot be made", async () => {
    const lines = told();
    const dir = tempDir();
    writeFileSync(join(dir, "file"), "x");
    environment({ ATMOREP_HTTP_CACHE: join(dir, "file", "cache") });
    const server = await serveFolder(STORM);
    expect(await over(server)).toEqual(await fromFolder());
    expect(lines.join("")).toMatch(/what servers send cannot be kept here \(ENOTDIR\)/);
  });
});

describe("names and passwords", () => {
  const NETRC = `# comment\nmachine a.org login me password "with \\"blank\\" in"\nmacdef init\nmachine b.org login no\n\nmachine b.org\n\tlogin you\n\tpassword p#w\ndefault login anonymous password x`;
  it("come from netrc as curl reads it", () => {
    expect(netrcEntry(NETRC, "a.org")).toMatchObject({ login: "me", password: 'with "blank" in' });
    expect(netrcEntry(NETRC, "b.org")).toMatchObject({ login: "you", password: "p#w" });
    expect(netrcEntry(NETRC, "c.org")).toMatchObject({ login: "anonymous" });
    expect(netrcEntry("", "c.org")).toBeUndefined();
  });
  it("are sent to the host they are for, and never seen in a message", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, "netrc"), "machine 127.0.0.1 login me password hidden");
    environment({ NETRC: join(dir, "netrc") });
    const server = await serveFolder(STORM);
    server.fault = (path, response) => {
      if (isChunk(path)) response.writeHead(403).end();
      return isChunk(path);
    };
    const error = await over(server).catch((e) => e);
    expect(String(error)).toMatch(/The name and password that were sent do not open it/);
    expect(JSON.stringify([String(error), error.details])).not.toMatch(/hidden|bWU6aGlkZGVu/);
    expect(server.headers[0].authorization).toBe(`Basic ${Buffer.from("me:hidden").toString("base64")}`);
  });
  it("in an address, or on an open line, are refused", async () => {
    const refused = await openSource("https://me:hidden@example.org/x.zarr").catch((e) => e);
    expect(String(refused)).toMatch(/would end in logs.*netrc/);
    expect(String(refused)).not.toMatch(/me:hidden/);
    environment({ ATMOREP_AUTHORIZATION: "Bearer x" });
    await expect(openSource("http://example.org/x.zarr")).rejects.toThrow(/would travel unencrypted/);
  });
  it("signatures in the address are sent and not told", async () => {
    const dir = tempDir();
    mkdirSync(join(dir, "s"));
    cpSync(STORM, join(dir, "s"), { recursive: true });
    const server = await serveFolder(dir);
    server.fault = (path, response) => {
      if (isChunk(path)) response.writeHead(400).end();
      return isChunk(path);
    };
    const source = await openSource(`${server.address}/s?signature=hidden`);
    await expect(source.get("/data_sfc/0.0.0.0")).rejects.toThrow(/answered 400/);
    await expect(source.get("/data_sfc/0.0.0.0")).rejects.not.toThrow(/hidden/);
  });
});

it("Retry-After is seconds or a date", () => {
  const now = Date.UTC(2020, 0, 1);
  expect(retryAfter("7", now)).toBe(7000);
  expect(retryAfter(new Date(now + 5000).toUTCString(), now)).toBe(5000);
  expect(retryAfter(new Date(now - 5000).toUTCString(), now)).toBe(0);
  expect(retryAfter("soon", now)).toBeUndefined();
  expect(retryAfter(undefined, now)).toBeUndefined();
});
