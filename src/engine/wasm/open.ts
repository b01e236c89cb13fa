/** The WASM engine: TensorFlow.js's backend with SIMD, and kernels of ours where its own fall short, on several threads. */
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { AtmorepError } from "../../errors.js";
import { eager } from "../eager/index.js";
import type { Engine } from "../engine.js";
import { registerGradients } from "../gradients/index.js";
import { askedProducts, noSuchProducts } from "../products.js";
import { askedThreads } from "../threads.js";
import { startTeam, type Team } from "./helper.js";
import { registerWasmKernels } from "./register.js";

/** More would wait for what one thread copies to them. */
const MOST_THREADS = 8;

/** threads that work beside this one */
let opened: Promise<Team> | null = null;

/**
 * Sets the backend up once, and makes it the current one.
 * @throws AtmorepError `usage` for what `ATMOREP_THREADS` or `ATMOREP_PRODUCTS` asks
 */
export async function openWasm(share?: number): Promise<Engine> {
  const asked = askedProducts();
  if (asked) throw noSuchProducts(asked, "the WASM engine");
  const wanted = askedThreads(process.env, share);
  opened ??= setUp(wanted);
  const { helpers } = await opened.catch((error: unknown) => {
    opened = null;
    throw error;
  });
  if (tf.getBackend() !== "wasm") await tf.setBackend("wasm");
  const threads = helpers.length + 1;
  return {
    ...eager,
    name: "wasm",
    description: `TensorFlow.js on WebAssembly (SIMD, ${threads === 1 ? "one thread" : `${threads} threads`})`,
    threads,
    kernels: null,
    instead: null,
    // the backend's own memory goes with its objects
    close: async () => {
      await Promise.all(helpers.map((helper) => helper.end()));
    },
  };
}

async function setUp(threads: number): Promise<Team> {
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
  return team;
}
