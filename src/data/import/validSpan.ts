/**
 * Times that are allocated and hold no values: ARCO-ERA5 has hours up to 2050, and says by the attributes of its group
 * (`valid_time_start`, `valid_time_stop`) which of them were written.
 */
import { AtmorepError } from "../../errors.js";
import { HOUR_NS, parseTime } from "../time.js";
import type { RawDataset } from "./types.js";
import type { TimeIndex } from "./validTimes.js";

const DAY_NS = 24n * HOUR_NS;

export class ValidSpan {
  /** variables share their axes: the part of one axis is made once */
  private readonly known = new Map<BigInt64Array, { times: BigInt64Array; from: number }>();
  private readonly start: bigint | null;
  private readonly stop: bigint | null;

  /** @param notes what is left out is told there. @throws AtmorepError (input) for an attribute that is no time */
  constructor(
    private readonly dataset: RawDataset,
    private readonly notes: string[],
  ) {
    this.start = this.read("valid_time_start");
    const stop = this.read("valid_time_stop");
    // a bare date is a whole day
    this.stop = stop !== null && stop % DAY_NS === 0n ? stop + DAY_NS - 1n : stop;
  }

  private read(name: string): bigint | null {
    const text = this.dataset.attrs?.[name];
    if (typeof text !== "string") return null;
    const time = parseTime(text.trim().replace(" ", "T"));
    if (time !== null) return time;
    throw new AtmorepError("input", "the attribute that says where the values end is no time", {
      where: `${this.dataset.path}: ${name}`,
      found: text,
      expected: "such as 2024-12-31",
    });
  }

  /** The times that hold values; ascending ones alone are cut. */
  of(index: TimeIndex): TimeIndex {
    if (this.start === null && this.stop === null) return index;
    const { times, from } = this.known.get(index.times) ?? this.cut(index.times);
    this.known.set(index.times, { times, from });
    return times.length === index.times.length ? index : { times, place: (t, at) => index.place(t + from, at) };
  }

  private cut(times: BigInt64Array): { times: BigInt64Array; from: number } {
    for (let i = 1; i < times.length; i++) if (times[i] <= times[i - 1]) return { times, from: 0 };
    const { start, stop } = this;
    const from = start === null ? 0 : times.findIndex((t) => t >= start);
    const first = from < 0 ? times.length : from;
    const after = stop === null ? -1 : times.findIndex((t) => t > stop);
    const part = times.subarray(first, after < 0 ? times.length : Math.max(first, after));
    if (part.length < times.length) {
      const span = ["valid_time_start", "valid_time_stop"]
        .map((name) => [name, this.dataset.attrs?.[name]])
        .filter(([, text]) => text !== undefined)
        .map(([name, text]) => `${name} ${text}`);
      this.notes.push(
        `${times.length - part.length} of ${times.length} times left out, which are allocated and hold no values (${span.join(", ")})`,
      );
    }
    return { times: part, from: first };
  }
}
