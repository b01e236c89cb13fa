#!/usr/bin/env node
/** Launcher of the notebook kernel, named by the kernelspec: builds `dist/` where needed, then serves one connection. */
import { join } from "node:path";
import { build, ROOT } from "./build.js";

build();
const { startKernel } = await import("../dist/kernel/main.js");
startKernel({
  connectionFile: process.argv[2],
  fallbackRoot: ROOT,
  cacheFolder: join(ROOT, ".cache", "kernel"),
  name: "atmorep",
});
