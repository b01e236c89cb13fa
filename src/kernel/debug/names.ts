/** How debugger and cell thread find each other, and how a cell's text is called. */
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { murmur2 } from "./murmur2.js";

/** Key of the global by which the debugger reaches what only the cell thread has. */
export const ACCESS = "Jupyter.debugging";

/** As ipykernel's. */
export const HASH_SEED = 0xc70f6907;
/** Of names alone: no file is written. */
export const PREFIX = join(tmpdir(), `tskernel_${process.pid}`) + sep;
export const SUFFIX = ".ts";

/** What a client calls a cell of this text. */
export const cellPath = (code: string): string => `${PREFIX}${murmur2(code, HASH_SEED)}${SUFFIX}`;
