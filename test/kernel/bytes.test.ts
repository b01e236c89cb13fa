/** Whatever comes in on the kernel's ports, from whoever, the kernel goes on and its variables stay. */
import { randomBytes, randomUUID } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dealer, Request } from "zeromq";
import { sign } from "../../src/kernel/wire/message.js";
import { KEY, KernelClient } from "./client.js";

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await KernelClient.start();
  await kernel.execute("const kept = 41");
});
afterAll(() => kernel.stop());

async function expectAlive(): Promise<void> {
  const outcome = await kernel.execute("console.log(kept + 1)");
  expect(outcome.text()).toBe("42\n");
  expect(kernel.process.exitCode).toBeNull();
}

/** Bytes on a socket of their own, closed soon after. */
function raw(port: number, bytes: Buffer): Promise<void> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes);
      setTimeout(() => {
        socket.destroy();
        done();
      }, 20);
    });
    socket.on("error", () => done());
  });
}

/** A message of parts as they are, signed as the kernel expects it. */
async function signed(port: string, parts: string[], times = 1): Promise<void> {
  const socket = new Dealer({ linger: 500 });
  socket.connect(`tcp://127.0.0.1:${kernel.ports[port]}`);
  for (let i = 0; i < times; i++) await socket.send(["<IDS|MSG>", sign(KEY, parts), ...parts]);
  await new Promise((done) => setTimeout(done, 100));
  socket.close();
}
const header = (type: unknown) => JSON.stringify({ msg_id: randomUUID(), msg_type: type, session: "s", username: "u" });

describe("raw bytes", () => {
  it("on every port", async () => {
    // greetings and frames of the protocol's first version, whole, cut and twisted; noise
    const heads = ["", "0100", "0001", "01", "ff00000000000000017f", "ff0000000000000001"];
    const tails = ["0100ff00", "01000001000401616263", "0100040061626364", "010001000400616263", "ffffffffffffffff"];
    const bodies = heads.flatMap((head) => tails.map((tail) => Buffer.from(head + tail, "hex")));
    for (let i = 0; i < 30; i++) bodies.push(randomBytes(8));
    bodies.push(Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.from("0123456789abcdef"), Buffer.alloc(4096, 1));
    for (const body of bodies) await Promise.all(Object.values(kernel.ports).map((port) => raw(port, body)));
    await expectAlive();
  });

  it("that announce more than anyone sends", async () => {
    // a long frame of version 1 of 2^62 bytes
    const body = Buffer.from("0100ff400000000000000000616263", "hex");
    await Promise.all(Object.values(kernel.ports).map((port) => raw(port, body)));
    await expectAlive();
  });
});

describe("messages that are signed and wrong", () => {
  it.each([
    ["null as content", () => [header("execute_request"), "{}", "{}", "null"]],
    ["a list as content", () => [header("execute_request"), "{}", "{}", "[]"]],
    ["null as header", () => ["null", "{}", "{}", "{}"]],
    ["a header without a type", () => ["{}", "{}", "{}", "{}"]],
    ["a type that is a number", () => [header(7), "{}", "{}", "{}"]],
    ["null as parent", () => [header("kernel_info_request"), "null", "{}", "{}"]],
    ["parts that are no JSON", () => [header("execute_request"), "{}", "{}", "{"]],
    ["an unknown type", () => [header("no_such_request"), "{}", "{}", "{}"]],
    ["code that is an object", () => [header("execute_request"), "{}", "{}", '{"code":{"toString":1}}']],
    ["a cursor far outside", () => [header("complete_request"), "{}", "{}", '{"code":"a","cursor_pos":1e300}']],
    ["a cursor that is text", () => [header("inspect_request"), "{}", "{}", '{"code":"a","cursor_pos":"x"}']],
    ["a history of nothing", () => [header("history_request"), "{}", "{}", '{"hist_access_type":{"a":1},"n":"x"}']],
    ["an answer that nobody asked for", () => [header("input_reply"), "{}", "{}", '{"value":{"a":1}}']],
  ])("%s", async (_, parts) => {
    for (const port of ["shell_port", "control_port", "stdin_port"]) await signed(port, parts());
    await expectAlive();
  });

  it("too few frames, no delimiter, another signature", async () => {
    for (const port of ["shell_port", "control_port", "stdin_port", "hb_port"]) {
      const socket = new Dealer({ linger: 500 });
      socket.connect(`tcp://127.0.0.1:${kernel.ports[port]}`);
      for (const frames of [
        [""],
        ["<IDS|MSG>"],
        ["<IDS|MSG>", ""],
        ["<IDS|MSG>", "x", "{}", "{}", "{}", "{}"],
        ["a", "b"],
      ]) {
        await socket.send(frames);
      }
      await new Promise((done) => setTimeout(done, 50));
      socket.close();
    }
    await expectAlive();
  });
});

it("a message that comes again is not carried out again", async () => {
  await kernel.execute("let runs = 0");
  const content = JSON.stringify({ code: "runs += 1", silent: false });
  await signed("shell_port", [header("execute_request"), "{}", "{}", content], 3);
  expect((await kernel.execute("console.log(runs)")).text()).toBe("1\n");
});

it("a heartbeat comes back as it was sent", async () => {
  const socket = new Request({ receiveTimeout: 5000, linger: 0 });
  socket.connect(`tcp://127.0.0.1:${kernel.ports.hb_port}`);
  for (const beat of ["ping", "", "pong"]) {
    await socket.send(beat);
    expect((await socket.receive()).map(String)).toEqual([beat]);
  }
  socket.close();
});
