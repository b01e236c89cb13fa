/** Entry point of the wire thread. */
import { parentPort, workerData } from "node:worker_threads";
import type { Request, WireOptions } from "./protocol.js";
import { WireServer } from "./wireServer.js";

if (parentPort === null) throw new Error("wireThread.js runs as a worker thread of the kernel");
const port = parentPort;
const server = new WireServer(workerData as WireOptions, (request: Request) => port.postMessage(request));
port.on("message", () => server.wake());
await server.start();
