/**
 * `metrics.jsonl`: one row every optimiser step and one every validation. Rows are appended whole, so a killed
 * run leaves at most one partial last line, which readers and continuations drop. A row that was damaged later is named
 * and left out; the others count.
 */
import { appendFile, open, stat } from "node:fs/promises";
import { BUDGET, openRegular, readBounded, tooLargeFile } from "../budgets.js";
import { writeFileAtomic } from "../formats/atomic.js";
import type { Series } from "./events.js";

export interface MetricsRow {
  epoch: number;
  step: number;
  samples: number;
  /** ISO 8601, UTC */
  time: string;
  [series: string]: number | string;
}

/** One row as a line; the series follow the fixed columns in the order of logging. */
export function metricsLine(epoch: number, step: number, samples: number, time: Date, series: Series): string {
  return `${JSON.stringify({ epoch, step, samples, time: time.toISOString(), ...series })}\n`;
}

export class MetricsLog {
  private constructor(
    private readonly path: string | null,
    /** rows written so far, copied ones included */
    public rows: number,
  ) {}

  /** Starts a log with `earlier` rows (of the run that is continued). */
  static async create(path: string, earlier: string[] = []): Promise<MetricsLog> {
    await writeFileAtomic(path, earlier.map((line) => `${line}\n`).join(""));
    return new MetricsLog(path, earlier.length);
  }

  /** A log of a process that writes nothing; `rows` of the run that is continued. */
  static silent(rows: number): MetricsLog {
    return new MetricsLog(null, rows);
  }

  async append(line: string): Promise<void> {
    if (this.path !== null) await appendFile(this.path, line);
    this.rows++;
  }

  /** Brings the rows to the disk: a checkpoint that counts them must not outlive them. */
  async sync(): Promise<void> {
    if (this.path === null) return;
    const handle = await open(this.path, "r+");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** The complete lines of a metrics file; a partial last line is left out. */
export async function readMetricsLines(path: string): Promise<string[]> {
  const bytes = await readBounded(path, BUDGET.logBytes).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  });
  const lines = linesOf(bytes);
  lines.pop();
  return lines.filter((line) => line.length > 0);
}

/** Piece by piece: a text is bounded to 512 MB. */
function linesOf(bytes: Buffer): string[] {
  const lines: string[] = [];
  for (let from = 0; ; ) {
    const end = bytes.indexOf(0x0a, from);
    lines.push(bytes.toString("utf8", from, end < 0 ? bytes.length : end));
    if (end < 0) return lines;
    from = end + 1;
  }
}

export interface Metrics {
  rows: MetricsRow[];
  /** names the damaged rows, which are left out; null if there are none */
  fault: string | null;
}

/**
 * The rows of a run's `metrics.jsonl`.
 * @returns rows in the order of writing; a partial last line and damaged rows are left out
 */
export async function readMetrics(path: string): Promise<MetricsRow[]> {
  return (await readMetricsAndFault(path)).rows;
}

/** The same, and which rows were damaged after they were written. */
export const readMetricsAndFault = (path: string): Promise<Metrics> => new MetricsReader(path).read();

/** Reads rows again and again while a run writes them: each time only what is new. */
export class MetricsReader {
  private lines: (MetricsRow | null)[] = [];
  /** bytes of the lines that were complete */
  private offset = 0;
  /** a continuation puts another file in the place of this one */
  private file = Number.NaN;

  constructor(private readonly path: string) {}

  /** All rows by now. @throws AtmorepError (input) for what is no file, or far too large for one */
  async read(): Promise<Metrics> {
    const handle = await openRegular(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    try {
      const { size, ino } = (await handle?.stat()) ?? { size: 0, ino: Number.NaN };
      if (ino !== this.file || size < this.offset) Object.assign(this, { lines: [], offset: 0, file: ino });
      if (size > BUDGET.logBytes) throw tooLargeFile(this.path, size, BUDGET.logBytes);
      const bytes = Buffer.allocUnsafe(size - this.offset);
      const { bytesRead = 0 } = (await handle?.read(bytes, 0, bytes.length, this.offset)) ?? {};
      const complete = bytes.subarray(0, bytes.subarray(0, bytesRead).lastIndexOf(0x0a) + 1);
      for (const line of linesOf(complete)) if (line.length > 0) this.lines.push(rowOf(line));
      this.offset += complete.length;
      return { rows: this.lines.filter((row) => row !== null), fault: faultOf(this.path, this.lines) };
    } finally {
      await handle?.close();
    }
  }

  /** True if `read` would find more, or another file. */
  async hasGrown(): Promise<boolean> {
    const { size, ino } = await stat(this.path).catch(() => ({ size: 0, ino: Number.NaN }));
    return size !== this.offset || (size > 0 && ino !== this.file);
  }
}

/** What is wrong with lines that a continuation copies as they are; null if nothing is. */
export const metricsFault = (path: string, lines: readonly string[]): string | null => faultOf(path, lines.map(rowOf));

function rowOf(line: string): MetricsRow | null {
  try {
    const row = JSON.parse(line);
    const { epoch, step, time, ...series } = row;
    const isWhole =
      Number.isSafeInteger(epoch) &&
      Number.isSafeInteger(step) &&
      typeof time === "string" &&
      Number.isFinite(Date.parse(time)) &&
      // numbers that are not finite stand as null
      Object.values(series).every((value) => value === null || typeof value === "number");
    return isWhole ? row : null;
  } catch {
    return null;
  }
}

const NAMED_ROWS = 10;

function faultOf(path: string, rows: readonly (MetricsRow | null)[]): string | null {
  const damaged = rows.flatMap((row, i) => (row === null ? [i + 1] : []));
  if (damaged.length === 0) return null;
  const more = damaged.length > NAMED_ROWS ? ` and ${damaged.length - NAMED_ROWS} more` : "";
  const named = `row${damaged.length === 1 ? "" : "s"} ${damaged.slice(0, NAMED_ROWS).join(", ")}${more}`;
  return `${path}: ${named} of ${rows.length} cannot be read and are left out; the file was damaged after it was written`;
}
