#!/usr/bin/env node
/** Launcher of the notebook kernel, named by the kernelspec: builds `dist/` where needed, then serves one connection. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, ROOT } from "./build.js";

build();
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const [{ startKernel }, { userCache }] = await Promise.all([
  import("../dist/kernel/main.js"),
  import("../dist/data/userCache.js"),
]);
startKernel({
  connectionFile: process.argv[2],
  fallbackRoot: ROOT,
  cacheFolder: userCache("kernel"),
  name: "atmorep",
  version,
});
