/** The WASM engine: TensorFlow.js's backend with SIMD, and kernels of ours where its own fall short, on several threads. */
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join, sep } from "node:path";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { AtmorepError } from "../../errors.js";
import { registerGradients } from "../gradients.js";
import type { Engine } from "../types.js";
import { startTeam } from "./helper.js";
import { registerWasmKernels } from "./register.js";

/** how many threads compute */
let opened: Promise<number> | null = null;

/** Sets the backend up once, and makes it the current one. */
export async function openWasm(): Promise<Engine> {
  opened ??= setUp();
  const threads = await opened;
  if (tf.getBackend() !== "wasm") await tf.setBackend("wasm");
  return {
    name: "wasm",
    description: `TensorFlow.js on WebAssembly (SIMD, ${threads === 1 ? "one thread" : `${threads} threads`})`,
    threads,
    memory: () => {
      const { numTensors, numBytes } = tf.memory();
      return { numTensors, bytes: numBytes };
    },
    kernels: null,
    instead: null,
  };
}

async function setUp(): Promise<number> {
  const entry = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(join(dirname(entry), sep));
  wasm.setThreadsCount(1);
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  if (!(await tf.setBackend("wasm"))) {
    throw new AtmorepError("failed", "TensorFlow.js could not start its WASM backend", {
      fix: "Install the package again: its .wasm files may be missing.",
    });
  }
  registerGradients();
  const team = startTeam(Number(process.env.ATMOREP_THREADS ?? availableParallelism()) - 1);
  registerWasmKernels(team);
  return team.helpers.length + 1;
}
