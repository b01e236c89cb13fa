/** Progress of commands that read or write many bytes: a bar on a terminal, elsewhere a line now and then. */
import { note } from "./output.js";

const BAR_EVERY_MS = 200;
const LINE_EVERY_MS = 30_000;
const WIDTH = 24;

export class ByteProgress {
  private readonly began = Date.now();
  private last = 0;
  private shown = false;

  /** @param what `data import` */
  constructor(private readonly what: string) {
    this.last = process.stderr.isTTY ? 0 : this.began;
  }

  /** @param before of `done`, what earlier calls had done: it does not count for the rate */
  readonly show = (done: number, total: number, before: number): void => {
    const now = Date.now();
    const terminal = process.stderr.isTTY === true;
    if (now - this.last < (terminal ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
    this.last = now;
    const seconds = Math.max(0.001, (now - this.began) / 1000);
    const rate = (done - before) / seconds;
    const text = progressText(done, total, rate);
    if (!terminal) {
      note(`${this.what}: ${text}`);
      return;
    }
    const full = Math.round((done / Math.max(1, total)) * WIDTH);
    const line = `${"#".repeat(full)}${".".repeat(WIDTH - full)} ${text}`;
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 100) - 1)}`);
    this.shown = true;
  };

  /** A line beside it. */
  readonly note = (line: string): void => {
    this.end();
    note(line);
  };

  /** Leaves the terminal clean, whatever ended the work. */
  end(): void {
    if (this.shown) process.stderr.write("\r\x1b[K");
    this.shown = false;
  }
}

/** `1.2 of 9.6 GB, 210 MB/s, 40 s left`. */
function progressText(done: number, total: number, rate: number): string {
  const [unit, size] = total >= 1e9 ? ["GB", 1e9] : ["MB", 1e6];
  const left = rate > 0 ? (total - done) / rate : Number.POSITIVE_INFINITY;
  const digits = (value: number) => (value / (size as number)).toFixed(1);
  return [
    `${digits(done)} of ${digits(total)} ${unit}`,
    `${(rate / 1e6).toFixed(rate < 1e7 ? 1 : 0)} MB/s`,
    ...(Number.isFinite(left) ? [`${durationText(left)} left`] : []),
  ].join(", ");
}

function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
