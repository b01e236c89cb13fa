/** Comms and widgets without a page: what goes over the wire, and what goes on while a cell runs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { placeBuffers, separateBuffers } from "../../src/kernel/comms/buffers.js";
import type { Message } from "../../src/kernel/wire/message.js";
import { type Content, KernelClient, type Outcome } from "./client.js";

let client: KernelClient;
beforeAll(async () => {
  client = await KernelClient.start();
});
afterAll(() => client.stop());

const WIDGET = `const widget = jupyter.widget({ esm: "export default {}", css: "p {}", state: { count: 1, bytes: Uint8Array.of(1, 2) } });
let heard: string[] = [];
widget.on("count", (count) => void heard.push("count " + count));
widget.onMessage<string>((content) => void heard.push("said " + content));
widget`;

/** The comm messages of an outcome. */
const comms = (outputs: readonly Message[]) => outputs.filter(({ header }) => header.msg_type.startsWith("comm_"));

/** What comes on iopub after a message, up to its idle. */
async function saidOn(kind: string, content: Content, wait = 10_000): Promise<Message[]> {
  const seen: Message[] = [];
  const { sent, id } = client.post(kind, content);
  const done = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no idle after ${kind}`)), wait);
    const stop = client.listen((message) => {
      if ((message.parent as { msg_id?: string }).msg_id !== id) return;
      seen.push(message);
      if (message.content.execution_state !== "idle") return;
      clearTimeout(timer);
      stop();
      resolve();
    });
  });
  await sent;
  await done;
  return seen;
}

/** Starts a cell that prints something, and comes back when it does; the cell's end is in a field, for it is not awaited. */
async function begun(
  code: string,
  onMessage: (message: Message) => void = () => {},
): Promise<{ done: Promise<Outcome> }> {
  let resolve = () => {};
  const printed = new Promise<void>((done) => {
    resolve = done;
  });
  const done = client.execute(code, {
    onMessage: (message) => {
      onMessage(message);
      if (message.header.msg_type === "stream") resolve();
    },
  });
  await printed;
  return { done };
}

describe("a widget", () => {
  let id: string;

  it("opens a comm of Jupyter's widgets with anywidget's model, and shows itself by its id", async () => {
    const { outputs, of } = await client.execute(WIDGET);
    const [open] = comms(outputs);
    expect(open.metadata).toEqual({ version: "2.1.0" });
    expect(open.content).toMatchObject({ target_name: "jupyter.widget", target_module: null });
    const { state, buffer_paths } = open.content.data as { state: Content; buffer_paths: unknown };
    expect(state).toMatchObject({ _model_module: "anywidget", _esm: "export default {}", _css: "p {}", count: 1 });
    expect(state).not.toHaveProperty("bytes");
    expect(buffer_paths).toEqual([["bytes"]]);
    expect(open.buffers.map((bytes) => [...bytes])).toEqual([[1, 2]]);
    id = String(open.content.comm_id);
    expect(of("execute_result")[0].data).toMatchObject({
      "application/vnd.jupyter.widget-view+json": { version_major: 2, version_minor: 0, model_id: id },
    });
    const { comms: known } = await client.request("comm_info_request", { target_name: "jupyter.widget" });
    expect(known).toEqual({ [id]: { target_name: "jupyter.widget" } });
  });

  it("hears the page's changes and messages, tells other pages, and gives its whole state when asked", async () => {
    const update = { method: "update", state: { count: 5 }, buffer_paths: [] };
    const [echo] = comms(await saidOn("comm_msg", { comm_id: id, data: update }));
    expect(echo.content.data).toEqual({ ...update, method: "echo_update" });
    await saidOn("comm_msg", { comm_id: id, data: { method: "custom", content: "hello" } });
    const asked = comms(await saidOn("comm_msg", { comm_id: id, data: { method: "request_state" } }));
    const { method, state } = asked[0].content.data as { method: string; state: Content };
    expect([method, state.count, state._model_name]).toEqual(["update", 5, "AnyModel"]);
    const { of } = await client.execute("[heard.join(), widget.get('count')]");
    expect((of("execute_result")[0].data as Content)["text/plain"]).toBe("[ 'count 5,said hello', 5 ]");
  });

  it("is answered while a cell awaits, after which the kernel is busy with that cell again", async () => {
    const states: unknown[] = [];
    const cell = await begun(
      "heard.length = 0; console.log('runs'); while (heard.length === 0) await new Promise((tick) => setTimeout(tick, 10)); await new Promise((tick) => setTimeout(tick, 1000)); heard[0]",
      ({ header, content }) => header.msg_type === "status" && states.push(content.execution_state),
    );
    await saidOn("comm_msg", { comm_id: id, data: { method: "custom", content: "while it runs" } });
    const { of } = await cell.done;
    expect((of("execute_result")[0].data as Content)["text/plain"]).toBe("'said while it runs'");
    expect(states).toEqual(["busy", "busy", "idle", "busy", "idle"]);
  });

  it("which comms are open is answered while a cell computes", async () => {
    const cell = await begun("console.log('runs'); for (const end = Date.now() + 3000; Date.now() < end; ) {}");
    const begin = Date.now();
    await client.request("comm_info_request", {});
    expect(Date.now() - begin).toBeLessThan(2000);
    await cell.done;
  });

  it("shows what its handlers print, and their errors, in its own cell; the kernel goes on", async () => {
    const { outputs } = await client.execute(
      `const loud = jupyter.widget({ esm: "" }); loud.onMessage((text) => { console.log("heard", text); throw new Error("of the handler"); }); 0`,
    );
    const [open] = comms(outputs);
    const shown: Message[] = [];
    const stop = client.listen((message) => shown.push(message));
    await saidOn("comm_msg", { comm_id: open.content.comm_id, data: { method: "custom", content: "it" } });
    await client.execute("1");
    stop();
    const of = (type: string) => shown.filter(({ header }) => header.msg_type === type);
    expect(of("stream")[0].content.text).toBe("heard it\n");
    expect(of("error")[0].content).toMatchObject({ ename: "Error", evalue: "of the handler" });
    for (const type of ["stream", "error"]) expect(of(type)[0].parent.msg_id).toBe(open.parent.msg_id);
  });

  it("goes on after its cell was interrupted", async () => {
    const cell = await begun(
      `const late = jupyter.widget({ esm: "" }); let answers = 0; late.onMessage(async () => { await null; answers++; }); console.log("runs"); await new Promise(() => {});`,
    );
    await client.interrupt();
    const [open] = comms((await cell.done).outputs);
    await saidOn("comm_msg", { comm_id: open.content.comm_id, data: { method: "custom", content: 0 } });
    const { of } = await client.execute("answers");
    expect((of("execute_result")[0].data as Content)["text/plain"]).toBe("1");
  });

  it("is closed by the cell", async () => {
    const { outputs } = await client.execute("widget.close(); widget.set({ count: 9 }); widget.open");
    expect(comms(outputs).map(({ header }) => header.msg_type)).toEqual(["comm_close"]);
    const { comms: known } = await client.request("comm_info_request", {});
    expect(known).not.toHaveProperty([id]);
  });
});

describe("binary values in a state", () => {
  it("are taken out with their paths, and put back", () => {
    const [a, b] = [Uint8Array.of(1), Float32Array.of(2)];
    const state = { plain: [1, { x: "y" }], deep: { list: [0, a], one: b } };
    const { state: rest, buffer_paths, buffers } = separateBuffers(state);
    expect(rest).toEqual({ plain: [1, { x: "y" }], deep: { list: [0, null] } });
    expect(buffer_paths).toEqual([
      ["deep", "list", 1],
      ["deep", "one"],
    ]);
    expect(buffers).toEqual([a, b]);
    expect(placeBuffers(rest, buffer_paths, [a, a])).toEqual({ plain: state.plain, deep: { list: [0, a], one: a } });
  });

  it("go nowhere by paths that are odd", () => {
    const state = { a: 1 };
    const paths = [["a", "b"], [], "x", ["__proto__"], ["__proto__", "polluted"], ["b", "c"]];
    expect(
      placeBuffers(
        state,
        paths,
        paths.map(() => Uint8Array.of(1)),
      ),
    ).toEqual({ a: 1 });
    expect({}).not.toHaveProperty("polluted");
  });
});
