/** Flags of `atmorep train`, read and checked before anything is opened. */
import { NETWORK, type Network } from "../../bench/scaling.js";
import { AtmorepError } from "../../errors.js";

export interface TrainFlags {
  preset?: string;
  set: string[];
  data?: string;
  runId?: string;
  out: string;
  continue?: string;
  inPlace?: boolean;
  resume?: boolean;
  initFrom?: string;
  acceptMissing?: boolean;
  acceptUnexpected?: boolean;
  maxSteps?: string;
  maxTime?: string;
  seed?: string;
  engine: string;
  dryRun?: boolean;
  overfit?: string;
  ranks?: string;
  network?: string;
  json?: boolean;
  log?: string;
  report?: string;
}

/** A positive whole number. @throws AtmorepError (usage) */
export function count(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new AtmorepError("usage", "not a positive whole number", { where: flag, found: text, fix: `${flag} 600` });
}

/** Gbit/s between processes, beside a latency that is assumed; undefined if not given. @throws AtmorepError (usage) */
export function network(text: string | undefined): Network | undefined {
  if (text === undefined) return undefined;
  const gbit = Number(text);
  if (gbit > 0 && Number.isFinite(gbit)) return { ...NETWORK, bandwidth: (gbit * 1e9) / 8 };
  throw new AtmorepError("usage", "not a speed", {
    where: "--network",
    found: text,
    expected: "Gbit/s",
    fix: "--network 100",
  });
}

/** A seed from 0 to 2^53 - 1. @throws AtmorepError (usage) */
export function seed(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new AtmorepError("usage", "not a seed", {
    where: "--seed",
    found: text,
    expected: "a whole number from 0",
    fix: "--seed 1",
  });
}

const UNIT_MS: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3 };

/** A duration such as `90m` in milliseconds. @throws AtmorepError (usage) */
export function duration(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)([smh])$/.exec(text);
  if (match && Number(match[1]) > 0) return Number(match[1]) * UNIT_MS[match[2]];
  throw new AtmorepError("usage", "not a duration", {
    where: flag,
    found: text,
    expected: "a number with s, m or h",
    fix: `${flag} 90m`,
  });
}

const ENGINES = ["auto", "native", "wasm"] as const;

/** @throws AtmorepError (usage) for an engine that does not exist */
export function engineName(text: string): (typeof ENGINES)[number] {
  const name = ENGINES.find((engine) => engine === text);
  if (name) return name;
  throw new AtmorepError("usage", "no such engine", { where: "--engine", found: text, expected: ENGINES.join(", ") });
}

const LOGS = ["short", "reference"] as const;

/**
 * What standard output holds: the short screen, or the original's log lines. As it was asked, else the former on a
 * terminal and the latter elsewhere, where programs that read the original's log expect it.
 * @throws AtmorepError (usage) for another word
 */
export function logName(text: string | undefined, terminal: boolean): (typeof LOGS)[number] {
  if (text === undefined) return terminal ? "short" : "reference";
  const name = LOGS.find((log) => log === text);
  if (name) return name;
  throw new AtmorepError("usage", "no such log", { where: "--log", found: text, expected: LOGS.join(", ") });
}
