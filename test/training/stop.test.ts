/** A signal while a run waits for data that do not come, as from a server that is away. */
import { describe, expect, it } from "vitest";
import { ALONE } from "../../src/distributed/index.js";
import { unlessStopped } from "../../src/training/stop.js";

const never = new Promise<object>(() => {});
const later = (ms: number) => new Promise<object>((resolve) => setTimeout(resolve, ms, { data: true }));

describe("waiting for data", () => {
  it("is given up 2 s after a signal, before or while it waits", async () => {
    const [before, while_] = [new AbortController(), new AbortController()];
    before.abort();
    setTimeout(() => while_.abort(), 50);
    expect(await unlessStopped(never, { signal: before.signal })).toBeNull();
    expect(await unlessStopped(never, { signal: while_.signal })).toBeNull();
  });

  it("goes on where the data come, and gives its fault where there is one", async () => {
    const stopped = AbortSignal.abort();
    expect(await unlessStopped(later(100), { signal: stopped })).toEqual({ data: true });
    await expect(unlessStopped(Promise.reject(new Error("away")), { signal: stopped })).rejects.toThrow("away");
    expect(await unlessStopped(later(10), {})).toEqual({ data: true });
  });

  it("is not given up by one of several processes", async () => {
    const communicator = { ...ALONE, size: 2 };
    const signal = AbortSignal.abort();
    const first = await Promise.race([unlessStopped(never, { signal, communicator }), later(2500)]);
    expect(first).toEqual({ data: true });
  });
});
