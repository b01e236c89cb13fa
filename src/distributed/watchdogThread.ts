/**
 * The thread of a process that listens for the other processes, whatever the main thread computes or waits for. Process 0
 * hears all, the others hear process 0 through its answers. It also ends a process whose main thread cannot do so itself.
 */
import { writeSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { type Heartbeat, Heartbeats, lostText, parseHeartbeat } from "./heartbeats.js";
import { type FromThread, PLACES, SLOTS, type ToThread, type WatchdogSetup } from "./watchdogMessages.js";

/** For a connection and for the first line on it. */
const CONNECT_MS = 2_000;
/** A line that is longer comes from somebody else. */
const LONGEST_LINE = 4_096;

const { slots, silence, initLimit, host } = workerData as WatchdogSetup;
const state = new Float64Array(slots);
const port = parentPort;
if (!port) throw new Error("watchdogThread is a worker thread");
const tell = (message: FromThread) => port.postMessage(message);
let rank = 0;
let leaving = false;
let told = false;

/** Nothing but the operating system ends a thread that is within a library's call. */
function kill(): void {
  process.kill(process.pid, "SIGKILL");
}

const initTimer = setTimeout(() => {
  if (state[SLOTS.joined] !== 0) return;
  writeSync(
    2,
    `error: MPI_Init has waited ${Math.round(initLimit / 1000)} s on ${host} for processes that do not come. ` +
      "Another one may have failed before: look at its messages; srun -K1 ends all.\n",
  );
  kill();
}, initLimit);

const own = (): Heartbeat => ({
  rank,
  host,
  pid: process.pid,
  step: state[SLOTS.step],
  at: PLACES[state[SLOTS.at]],
});

function lost(beat: Heartbeat, why: string): void {
  if (told || leaving) return;
  told = true;
  tell({ type: "lost", text: lostText(beat, why) });
}

/** Calls `each` for every line; ends the connection at one that is too long. */
function lines(socket: Socket, each: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > LONGEST_LINE) socket.destroy();
    for (const line of parts) if (!socket.destroyed) each(line);
  });
  socket.on("error", () => {});
  socket.unref();
}

const beats = new Heartbeats(silence, Date.now());
const seconds = Math.round(silence / 1000);

function listen(token: string, local: boolean): void {
  const server = createServer((socket) => {
    let peer: number | null = null;
    const patience = setTimeout(() => peer === null && socket.destroy(), CONNECT_MS);
    lines(socket, (line) => {
      if (line === `bye ${token}` && peer !== null) {
        beats.forget(peer);
        peer = null;
        return;
      }
      const beat = line.startsWith(`${token} `) ? parseHeartbeat(line.slice(token.length + 1)) : null;
      if (beat === null) return socket.destroy();
      peer = beat.rank;
      beats.hear(beat, Date.now());
      socket.write(`${JSON.stringify(own())}\n`);
    });
    socket.on("close", () => {
      clearTimeout(patience);
      const last = peer === null ? undefined : beats.last(peer);
      if (last) lost(last, "is gone");
    });
  });
  server.unref();
  server.on("error", (error) => tell({ type: "failed", why: error.message }));
  server.listen(0, local ? "127.0.0.1" : undefined, () => {
    const address = server.address();
    tell({ type: "ready", port: typeof address === "object" && address ? address.port : 0 });
  });
}

function join(token: string, addresses: readonly string[], at: number): void {
  const [address, ...others] = addresses;
  const socket = connect({ host: address, port: at, timeout: CONNECT_MS });
  const next = (why: string) => {
    socket.destroy();
    if (others.length > 0) join(token, others, at);
    else tell({ type: "failed", why: `${address}: ${why}` });
  };
  socket.once("timeout", () => next("no answer"));
  socket.once("error", (error) => next(error.message));
  socket.once("connect", () => {
    socket.setTimeout(0);
    socket.removeAllListeners("timeout").removeAllListeners("error");
    lines(socket, (line) => {
      const beat = parseHeartbeat(line);
      if (beat) beats.hear(beat, Date.now());
    });
    const say = () => socket.write(`${token} ${JSON.stringify(own())}\n`);
    say();
    setInterval(say, silence / 10).unref();
    goodbye = () => socket.write(`bye ${token}\n`);
    socket.on("close", () => {
      const last = beats.last(0);
      if (last) lost(last, "is gone");
    });
    tell({ type: "ready", port: at });
  });
}

let goodbye = () => {};

port.on("message", (message: ToThread) => {
  if (message.type === "bye") {
    leaving = true;
    goodbye();
    return;
  }
  if (message.type === "kill") {
    setTimeout(kill, message.after);
    return;
  }
  clearTimeout(initTimer);
  rank = message.rank;
  if (message.type === "listen") listen(message.token, message.local);
  else join(message.token, message.addresses, message.port);
  setInterval(() => {
    const beat = beats.lost(Date.now());
    if (beat) lost(beat, `silent for ${seconds} s`);
  }, silence / 10).unref();
});
