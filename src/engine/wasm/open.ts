/** The WASM engine: TensorFlow.js's backend with SIMD, and kernels of ours where its own fall short, on several threads. */
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { AtmorepError } from "../../errors.js";
import { registerGradients } from "../gradients.js";
import { askedProducts, noSuchProducts } from "../products.js";
import { askedThreads } from "../threads.js";
import type { Engine } from "../types.js";
import { startTeam } from "./helper.js";
import { registerWasmKernels } from "./register.js";

/** More would wait for what one thread copies to them. */
const MOST_THREADS = 8;

/** how many threads compute */
let opened: Promise<number> | null = null;

/**
 * Sets the backend up once, and makes it the current one.
 * @throws AtmorepError `usage` for what `ATMOREP_THREADS` or `ATMOREP_PRODUCTS` asks
 */
export async function openWasm(): Promise<Engine> {
  const asked = askedProducts();
  if (asked) throw noSuchProducts(asked, "the WASM engine");
  const wanted = askedThreads();
  opened ??= setUp(wanted);
  const threads = await opened.catch((error: unknown) => {
    opened = null;
    throw error;
  });
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

async function setUp(threads: number): Promise<number> {
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
  const team = startTeam(Math.min(threads, MOST_THREADS) - 1);
  registerWasmKernels(team);
  return team.helpers.length + 1;
}
