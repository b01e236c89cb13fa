import { describe, expect, it } from "vitest";
import { ALONE, type Communicator, isShared } from "../../src/distributed/index.js";
import { assertAgreed, type Facts, factsAsked, stateDigest } from "../../src/training/agreement.js";
import { tinyConfig } from "../support/tinyRun.js";

/** Process 0 of several, which hears from the others what is given here. */
const beside = (...others: Facts[]): Communicator => ({
  ...ALONE,
  size: others.length + 1,
  gather: async <T>(own: T) => [own, ...(others as T[])],
});

describe("processes of one run", () => {
  it("go on where they are at one", async () => {
    const facts = { a: 1, b: "two" };
    await assertAgreed(beside(facts, facts), "before the first step", () => facts);
  });

  it("are told which one differs, in what, and how; all end alike", async () => {
    const own = { version: "1", threads: 2 };
    const differing = assertAgreed(beside(own, { ...own, threads: 3 }), "before the first step", () => own);
    const error = await differing.catch((fault) => fault);
    expect(error.code).toBe("usage");
    expect(error.message).toMatch(
      /threads: process 2 differs from process 0 before the first step; found 3 in process 2.*2, as in process 0/s,
    );
    expect(isShared(error)).toBe(true);
  });

  it("what one knows of and another does not is a difference; long values are cut", async () => {
    const error = await assertAgreed(beside({ key: "x".repeat(1000) }), "now", () => ({})).catch((fault) => fault);
    expect(error.message).toMatch(/key.*xxx\.\.\. in process 1.*nothing, as in process 0/s);
    expect(error.message.length).toBeLessThan(600);
  });

  it("one alone gathers no facts", async () => {
    await assertAgreed(ALONE, "now", () => {
      throw new Error("facts cost a copy of the weights");
    });
  });

  it("facts name every key of the configuration and every option that changes the run", () => {
    const facts = factsAsked(tinyConfig({ lr_max: 0.5 }), { maxSteps: 3 });
    expect(facts["configuration, lr_max"]).toBe("0.5");
    expect(facts["option, maxSteps"]).toBe("3");
    expect(facts["option, initFrom"]).toBe("not given");
  });

  it("the digest of a state changes with any number, name and group", () => {
    const params = (value: number, name = "w") => new Map([[name, { shape: [2], data: Float32Array.of(1, value) }]]);
    const digests = [
      stateDigest(0, [params(1), null]),
      stateDigest(1, [params(1), null]),
      stateDigest(0, [params(1 + 2 ** -20), null]),
      stateDigest(0, [params(1, "v"), null]),
      stateDigest(0, [params(1), params(1)]),
      stateDigest(0, [null, params(1)]),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    expect(stateDigest(0, [params(1), null])).toBe(digests[0]);
  });
});
