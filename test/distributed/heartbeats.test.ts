import { connect } from "node:net";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { type Heartbeat, Heartbeats, lostText, parseHeartbeat } from "../../src/distributed/heartbeats.js";
import { askedSilence } from "../../src/distributed/watchdog.js";
import { atmorep } from "../support/cli.js";

const beat = (rank: number, set: Partial<Heartbeat> = {}): Heartbeat => ({
  ...{ rank, host: "nodeB", pid: 812, step: 811, at: "training" },
  ...set,
});

describe("who has fallen silent", () => {
  it("nobody as long as all speak; then the one that was heard first, however often it is asked", () => {
    const heard = new Heartbeats(30, 0);
    for (let now = 0; now <= 100; now += 10) {
      heard.hear(beat(1), now);
      if (now <= 50) heard.hear(beat(2), now);
      if (now <= 60) heard.hear(beat(3), now);
      const lost = heard.lost(now);
      expect(lost?.rank ?? null, String(now)).toBe(now > 80 ? 2 : null);
    }
  });

  it("who slept himself, as a suspended job does, waits anew", () => {
    const heard = new Heartbeats(30, 0);
    heard.hear(beat(1), 0);
    expect(heard.lost(1_000_000)).toBeNull();
    expect(heard.lost(1_000_010)).toBeNull();
    expect(heard.lost(1_000_020)).toBeNull();
    expect(heard.lost(1_000_030)).toBeNull();
    expect(heard.lost(1_000_040)?.rank).toBe(1);
  });

  it("who has said goodbye is not missed", () => {
    const heard = new Heartbeats(30, 0);
    heard.hear(beat(1), 0);
    heard.forget(1);
    for (let now = 0; now < 200; now += 10) expect(heard.lost(now)).toBeNull();
  });

  it("is named with machine, process and step", () => {
    expect(lostText(beat(3), "silent for 30 s")).toBe(
      "process 3 (nodeB, pid 812) silent for 30 s in step 812, training",
    );
    expect(lostText(beat(3, { at: "building" }), "is gone")).toBe("process 3 (nodeB, pid 812) is gone, building");
  });

  it.each(["", "null", "[]", "1", "{}", '{"rank":"1"}', JSON.stringify(beat(1, { host: "a\u001b[2J" })), "\u0000"])(
    "%j is no heartbeat",
    (line) => {
      expect(parseHeartbeat(line)).toBeNull();
    },
  );

  it("reads what it writes", () => {
    expect(parseHeartbeat(JSON.stringify(beat(7)))).toEqual(beat(7));
  });
});

it.each([
  [{}, 25],
  [{ ATMOREP_WATCHDOG: "" }, 25],
  [{ ATMOREP_WATCHDOG: "90" }, 90],
  [{ ATMOREP_WATCHDOG: "off" }, null],
])("%j asks for %j", (env, silence) => {
  expect(askedSilence(env as Record<string, string>)).toBe(silence);
});

it.each(["0", "soon", "-3", "NaN"])("ATMOREP_WATCHDOG=%s is refused", (asked) => {
  expect(() => askedSilence({ ATMOREP_WATCHDOG: asked })).toThrow(/ATMOREP_WATCHDOG.*seconds from 1 on, or off/s);
});

describe("the thread that listens", () => {
  it("survives any bytes, hears who knows the word, and misses who is gone", async () => {
    // the program's own files: a thread does not read TypeScript
    expect((await atmorep(["--version"])).code).toBe(0);
    const slots = new SharedArrayBuffer(24);
    const workerData = { slots, silence: 60_000, initLimit: 60_000, host: "here" };
    const thread = new Worker(new URL("../../dist/distributed/watchdogThread.js", import.meta.url), { workerData });
    const next = () => new Promise<Record<string, unknown>>((resolve) => thread.once("message", resolve));
    thread.postMessage({ type: "listen", rank: 0, token: "word", local: true });
    const { port } = (await next()) as { port: number };
    const speak = (bytes: string | Buffer) =>
      new Promise<string>((resolve) => {
        let answer = "";
        const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
        socket.on("data", (data) => {
          answer += data;
          socket.destroy();
        });
        socket.on("error", () => {});
        socket.on("close", () => resolve(answer));
      });
    for (const bytes of ["\n", "word {}\n", "other {}\n", "GET / HTTP/1.1\r\n\r\n", Buffer.alloc(100_000, 65)]) {
      expect(await speak(bytes)).toBe("");
    }
    const lost = next();
    expect(parseHeartbeat(await speak(`word ${JSON.stringify(beat(1))}\n`))).toMatchObject({ rank: 0, host: "here" });
    expect(await lost).toEqual({ type: "lost", text: "process 1 (nodeB, pid 812) is gone in step 812, training" });
    await thread.terminate();
  });
});
