/**
 * Runs a script in TypeScript, which Node 20 cannot read by itself:
 *
 *   node scripts/run.mjs FILE [ARGUMENT...]
 *
 * The script finds its arguments where Node puts them. Vite, which comes with vitest, translates it and what it imports.
 */
import { resolve } from "node:path";
import { runnerImport } from "vite";

const [node, , file, ...args] = process.argv;
if (!file) throw new Error("usage: node scripts/run.mjs FILE [ARGUMENT...]");
const script = resolve(file);
process.argv = [node, script, ...args];
await runnerImport(script);
