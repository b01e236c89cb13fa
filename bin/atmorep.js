#!/usr/bin/env node
/** Launcher of the `atmorep` program: checks Node, builds `dist/` in a checkout where needed, starts the program. */
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `error: atmorep needs Node 20.19 or newer; this is Node ${process.versions.node}. Install a newer Node from https://nodejs.org.\n`,
  );
  process.exit(1);
}

const { build } = await import("./build.js");
try {
  build();
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exit(1);
}
const { main } = await import("../dist/cli/main.js");
await main(process.argv.slice(2));
