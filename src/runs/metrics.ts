/**
 * `metrics.jsonl`: one row every optimiser step and one every validation. Rows are appended whole, so a killed
 * run leaves at most one partial last line, which readers and continuations drop.
 */
import { appendFile, open, readFile } from "node:fs/promises";
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
  const text = await readFile(path, "utf8").catch(() => "");
  const lines = text.split("\n");
  lines.pop();
  return lines.filter((line) => line.length > 0);
}

/**
 * The rows of a run's `metrics.jsonl`.
 * @returns rows in the order of writing; a partial last line is left out
 */
export async function readMetrics(path: string): Promise<MetricsRow[]> {
  return (await readMetricsLines(path)).map((line) => JSON.parse(line) as MetricsRow);
}
