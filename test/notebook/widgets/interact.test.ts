/** Sliders without a page: what is drawn, sent and kept. */
import { describe, expect, it } from "vitest";
import type { DisplayContent } from "../../../src/notebook/figure/live.js";
import { interact } from "../../../src/notebook/widgets/interact.js";
import type { MakeWidget } from "../../../src/notebook/widgets/kernel.js";
import { stopButton } from "../../../src/notebook/widgets/stopButton.js";

type State = Record<string, unknown>;

/** A widget whose page is the test. */
function fake() {
  const handlers: Record<string, (value: unknown) => unknown> = {};
  const page = { state: {} as State, sent: [] as unknown[], closed: false, say: (_content: unknown): unknown => null };
  const make = ((options: { state: State }) => {
    page.state = options.state;
    return {
      get: (key: string) => page.state[key],
      set: (changed: State) => Object.assign(page.state, changed),
      on: (key: string, handler: (value: unknown) => unknown) => Object.assign(handlers, { [key]: handler }),
      onMessage: (handler: (content: unknown) => unknown) => Object.assign(page, { say: handler }),
      send: (content: unknown) => page.sent.push(content),
      close: () => Object.assign(page, { closed: true }),
      bundle: () => ({ "x/widget": 1, "text/plain": "widget" }),
    };
  }) as unknown as MakeWidget;
  return { page, make, moved: (key: string, value: unknown) => handlers[key]?.(value) };
}

const line = (y: number) => ({
  title: `y is ${y}`,
  panels: [{ marks: [{ kind: "line" as const, color: "#000", x: [0, 1], y: [0, y] }] }],
});

function shower() {
  const shown: { content: DisplayContent; update: boolean }[] = [];
  return { shown, send: (content: DisplayContent, update: boolean) => void shown.push({ content, update }) };
}

describe("interact", () => {
  it("draws what a slider is moved to, shows an error and goes on, and keeps the last picture when asked", async () => {
    const { page, make, moved } = fake();
    const { shown, send } = shower();
    const controls = { y: { from: 1, to: 2, step: 0.25, start: 1.5 }, name: ["a", "b"] } as const;
    const draw = ({ y, name }: { y: number; name: string }) => {
      if (name === "b") throw new Error("b cannot be drawn");
      return line(y);
    };
    const now = await interact(controls, draw, { widget: make, send });
    expect(now.values).toEqual({ y: 1.5, name: "a" });
    expect(page.state.controls).toEqual([
      { name: "y", count: 5 },
      { name: "name", count: 2 },
    ]);
    expect(page.state.at).toEqual({ y: 2, name: 0 });
    expect(Object.keys(shown[0].content.data)).toEqual(["x/widget", "text/plain", "image/svg+xml"]);
    await moved("at", { y: 4, name: 0 });
    expect(now.values.y).toBe(2);
    expect(page.state.svg).toContain("y is 2");
    await moved("at", { y: 4, name: 1 });
    expect(page.state.error).toBe("Error: b cannot be drawn");
    await moved("at", { y: 99, name: 0 });
    expect([now.values.y, page.state.error]).toEqual([2, ""]);
    expect(shown).toHaveLength(1);
    await page.say({ kind: "hello" });
    await page.say({ kind: "keep" });
    expect(page.sent).toEqual([{ kind: "here" }]);
    expect(shown[1].update).toBe(true);
    expect(shown[1].content.transient).toEqual(shown[0].content.transient);
    expect(shown[1].content.data["image/svg+xml"]).toContain("y is 2");
  });

  it("shows the first figure alone where there are no widgets", async () => {
    const { shown, send } = shower();
    await interact({ y: [3, 4] }, ({ y }) => line(y), { widget: null, send });
    expect(shown).toHaveLength(1);
    expect(Object.keys(shown[0].content.data)).toContain("application/vnd.plotly.v1+json");
  });

  it.each([
    [[]],
    [{ from: 2, to: 1 }],
    [{ from: 0, to: 1, step: 0 }],
    [{ from: 0, to: 1, start: 5 }],
    [{ from: 0, to: 1e9 }],
  ])("refuses %j, and says what it takes", async (control) => {
    await expect(interact({ y: control }, () => line(1), { send: null })).rejects.toThrow(/interact, y.*Give/s);
  });
});

describe("a button on a live figure", () => {
  it("takes the frames into its widget, stops what they show, and gives way to the last", async () => {
    const { page, make, moved } = fake();
    const { shown, send } = shower();
    let stops = 0;
    const button = stopButton(send, () => stops++, make);
    const frame = (html: string): DisplayContent => ({
      data: { "text/html": html, "text/plain": "words" },
      metadata: {},
      transient: { display_id: "d" },
    });
    await button.send(frame("one"), false);
    await button.send(frame("two"), true);
    expect(shown).toHaveLength(1);
    expect(shown[0].content.data).toEqual({ "text/html": "one", "text/plain": "words", "x/widget": 1 });
    expect(page.state.html).toBe("two");
    moved("stopping", true);
    expect(stops).toBe(1);
    const last = { ...frame("three"), data: { "application/vnd.plotly.v1+json": {} } };
    await button.send(last, true);
    button.close();
    expect(shown[1]).toEqual({ content: last, update: true });
    expect(page.closed).toBe(true);
  });
});
