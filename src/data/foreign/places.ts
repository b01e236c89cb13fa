/** Where each time of a field lies: in which variable (of which file), and at which index. Typed arrays, no entry a time. */
import { AtmorepError } from "../../errors.js";
import type { InputVariable } from "../import/types.js";
import { formatTime } from "../time.js";

/** Times that some variables have together. */
export interface Places {
  /** nanoseconds since 1970, ascending */
  times: BigInt64Array;
  /** which of the variables has the time */
  segment: Int32Array;
  /** index of the time in that variable */
  index: Int32Array;
}

/** Files whose times are the same typed arrays have the same places: they are found once. */
export class PlaceFinder {
  private readonly known: { lists: BigInt64Array[]; places: Places }[] = [];

  constructor(private readonly combine: "first" | "last" | undefined) {}

  /** @throws AtmorepError (input) where a time is given twice and nothing says which is taken */
  of(variables: readonly InputVariable[]): Places {
    const lists = variables.map(({ times }) => times);
    const same = this.known.find(
      (entry) => entry.lists.length === lists.length && entry.lists.every((list, i) => list === lists[i]),
    );
    if (same) return same.places;
    const places = this.find(variables);
    this.known.push({ lists, places });
    return places;
  }

  private find(variables: readonly InputVariable[]): Places {
    const total = variables.reduce((sum, { times }) => sum + times.length, 0);
    const times = new BigInt64Array(total);
    const segment = new Int32Array(total);
    const index = new Int32Array(total);
    let n = 0;
    let ascending = true;
    for (const [s, variable] of variables.entries()) {
      times.set(variable.times, n);
      segment.fill(s, n, n + variable.times.length);
      for (let i = 0; i < variable.times.length; i++, n++) {
        index[n] = i;
        if (n > 0 && times[n] <= times[n - 1]) ascending = false;
      }
    }
    if (ascending) return { times, segment, index };
    // Equal times keep the order of the files.
    const order = Uint32Array.from({ length: total }, (_, i) => i).sort((a, b) =>
      times[a] < times[b] ? -1 : times[a] > times[b] ? 1 : a - b,
    );
    const kept = new Uint32Array(total);
    let count = 0;
    for (const i of order) {
      if (count > 0 && times[i] === times[kept[count - 1]]) {
        if (!this.combine) throw twice(variables, segment[kept[count - 1]], segment[i], times[i]);
        if (this.combine === "last") kept[count - 1] = i;
      } else kept[count++] = i;
    }
    return at({ times, segment, index }, kept.subarray(0, count));
  }
}

/** The places of some of the times. @param rows indices into the times */
function at({ times, segment, index }: Places, rows: Uint32Array): Places {
  return {
    times: BigInt64Array.from(rows, (i) => times[i]),
    segment: Int32Array.from(rows, (i) => segment[i]),
    index: Int32Array.from(rows, (i) => index[i]),
  };
}

/** The places of some times, which are all there. @param times ascending */
export function placesAt(places: Places, times: BigInt64Array): Places {
  if (places.times === times) return places;
  const rows = new Uint32Array(times.length);
  for (let i = 0, k = 0; i < times.length; k++) if (places.times[k] === times[i]) rows[i++] = k;
  return { ...at(places, rows), times };
}

/** Times that both have. @param a, b ascending. @returns `a` itself if it has no others */
export function commonTimes(a: BigInt64Array, b: BigInt64Array): BigInt64Array {
  if (a === b) return a;
  const both = new BigInt64Array(Math.min(a.length, b.length));
  let n = 0;
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    if (a[i] === b[k]) {
      both[n++] = a[i++];
      k++;
    } else if (a[i] < b[k]) i++;
    else k++;
  }
  return n === a.length ? a : both.slice(0, n);
}

function twice(variables: readonly InputVariable[], a: number, b: number, time: bigint): AtmorepError {
  const [first, second] = [variables[a], variables[b]];
  return new AtmorepError("input", `a time of ${first.name} is given twice`, {
    where: second.path,
    found: `${formatTime(time)}, ${a === b ? "twice in this file" : `which ${first.path} has too`}`,
    expected: "each time once",
    fix: 'Leave one of the files out, or say in a mapping file which is taken: "combine": "first" or "last"',
  });
}
