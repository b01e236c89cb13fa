/**
 * Stores as public buckets have them: the same metadata, dimensions, chunks and codec, at any length, since every chunk of a
 * variable is the same one. Served at the pace of a slow connection, or as fast as this machine.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { Blosc } from "numcodecs";
import { onTestFinished } from "vitest";

interface Variable {
  dims: string[];
  shape: number[];
  chunks: number[];
  dtype: "<f4" | "<i8";
  attrs: Record<string, unknown>;
  /** one chunk's values, for all its chunks; null: no chunk is there */
  values: Float32Array | BigInt64Array | null;
}

export interface PublicStore {
  variables: Record<string, Variable>;
  attrs: Record<string, unknown>;
}

const BLOSC = { id: "blosc", cname: "lz4", clevel: 5, shuffle: 1, blocksize: 0 };

/** Hours since a year, in one chunk. */
const hours = (count: number, step: number): BigInt64Array =>
  BigInt64Array.from({ length: count }, (_, i) => BigInt(i * step));

const noise = (n: number, mean: number, width: number): Float32Array => {
  let state = 12345;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: n }, () => mean + width * (next() + next() + next() - 1.5));
};

const axis = (dim: string, values: ArrayLike<number>, units: string): Variable => ({
  dims: [dim],
  shape: [values.length],
  chunks: [values.length],
  dtype: "<f4",
  attrs: { units, standard_name: dim },
  values: Float32Array.from(values),
});

const time = (count: number, step: number, year: number): Variable => ({
  dims: ["time"],
  shape: [count],
  chunks: [count],
  dtype: "<i8",
  attrs: { units: `hours since ${year}-01-01`, calendar: "proleptic_gregorian" },
  values: hours(count, step),
});

/** WeatherBench 2's ERA5 at 64 x 32, 1959 to 2023-01-10: Zarr 2, time (level) longitude latitude, South first. */
export function weatherBench(times = 93_544): PublicStore {
  const flat = (mean: number, width: number, units: string): Variable => ({
    dims: ["time", "longitude", "latitude"],
    shape: [times, 64, 32],
    chunks: [100, 64, 32],
    dtype: "<f4",
    attrs: { units },
    values: noise(100 * 64 * 32, mean, width),
  });
  return {
    attrs: {},
    variables: {
      time: time(times, 6, 1959),
      longitude: axis(
        "longitude",
        Array.from({ length: 64 }, (_, i) => 5.625 * i),
        "degrees_east",
      ),
      latitude: axis(
        "latitude",
        Array.from({ length: 32 }, (_, i) => -87.1875 + 5.625 * i),
        "degrees_north",
      ),
      level: axis("level", [50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000], "hPa"),
      "2m_temperature": flat(280, 20, "K"),
      mean_sea_level_pressure: flat(101_000, 1000, "Pa"),
      "10m_u_component_of_wind": flat(0, 8, "m s**-1"),
      "10m_v_component_of_wind": flat(0, 6, "m s**-1"),
      temperature: {
        dims: ["time", "level", "longitude", "latitude"],
        shape: [times, 13, 64, 32],
        chunks: [100, 13, 64, 32],
        dtype: "<f4",
        attrs: { units: "K" },
        values: null,
      },
    },
  };
}

/** ARCO-ERA5 on model levels: Zarr 2, hourly from 1900 to 2050, of which the attributes say what is there. */
export function arcoModelLevels({
  times = 1_323_648,
  size = [721, 1440],
  valued = false,
}: {
  times?: number;
  size?: [number, number];
  valued?: boolean;
} = {}): PublicStore {
  const [lats, lons] = size;
  const upper = (mean: number, width: number, units: string): Variable => ({
    dims: ["time", "hybrid", "latitude", "longitude"],
    shape: [times, 137, lats, lons],
    chunks: [1, 18, lats, lons],
    dtype: "<f4",
    attrs: { units },
    values: valued ? noise(18 * lats * lons, mean, width) : null,
  });
  return {
    attrs: { valid_time_start: "1940-01-01", valid_time_stop: "2024-11-30" },
    variables: {
      time: time(times, 1, 1900),
      hybrid: axis(
        "hybrid",
        Array.from({ length: 137 }, (_, i) => i + 1),
        "",
      ),
      latitude: axis(
        "latitude",
        Array.from({ length: lats }, (_, i) => 90 - (180 * i) / (lats - 1)),
        "degrees_north",
      ),
      longitude: axis(
        "longitude",
        Array.from({ length: lons }, (_, i) => (360 * i) / lons),
        "degrees_east",
      ),
      u_component_of_wind: upper(0, 10, "m s**-1"),
      v_component_of_wind: upper(0, 8, "m s**-1"),
    },
  };
}

/** The files of a store by their keys: metadata, and of each variable its one chunk. */
async function filesOf({ variables, attrs }: PublicStore): Promise<(key: string) => Uint8Array | null> {
  const metadata: Record<string, unknown> = { ".zgroup": { zarr_format: 2 }, ".zattrs": attrs };
  const chunks = new Map<string, Uint8Array>();
  const blosc = Blosc.fromConfig(BLOSC as unknown as Parameters<typeof Blosc.fromConfig>[0]);
  for (const [name, { dims, shape, chunks: chunk, dtype, attrs: own, values }] of Object.entries(variables)) {
    metadata[`${name}/.zarray`] = {
      ...{ zarr_format: 2, shape, chunks: chunk, dtype, compressor: BLOSC, filters: null, order: "C" },
      fill_value: dtype === "<f4" ? "NaN" : null,
    };
    metadata[`${name}/.zattrs`] = { _ARRAY_DIMENSIONS: dims, ...own };
    if (values) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      chunks.set(name, Uint8Array.from(await blosc.encode(bytes)));
    }
  }
  const consolidated = Buffer.from(JSON.stringify({ metadata, zarr_consolidated_format: 1 }));
  return (key) => {
    if (key === ".zmetadata") return consolidated;
    if (metadata[key]) return Buffer.from(JSON.stringify(metadata[key]));
    const [, name, at] = /^([^/]+)\/([\d.]+)$/.exec(key) ?? [];
    const { shape, chunks: chunk } = variables[name] ?? { shape: [], chunks: [] };
    const inside = at?.split(".").every((c, i) => Number(c) < Math.ceil(shape[i] / chunk[i]));
    return (inside && chunks.get(name)) || null;
  };
}

export interface Pace {
  /** before each answer */
  latencyMs: number;
  /** of all answers together */
  bytesPerSecond: number;
}

/** 50 ms and 20 Mbit/s. */
export const SLOW: Pace = { latencyMs: 50, bytesPerSecond: 2.5e6 };

export interface ServedStore {
  address: string;
  asked: string[];
  bytes: number;
  /** how long these answers take at a pace, at least, in seconds, the requests one after the other */
  secondsAt(pace: Pace): number;
}

/** Serves a store until the test ends. */
export async function serveStore(store: PublicStore, pace?: Pace): Promise<ServedStore> {
  const file = await filesOf(store);
  const served: ServedStore = {
    address: "",
    asked: [],
    bytes: 0,
    secondsAt: ({ latencyMs, bytesPerSecond }) =>
      (served.asked.length * latencyMs) / 1000 + served.bytes / bytesPerSecond,
  };
  let freeAt = Date.now();
  const server = createServer(async (request, response) => {
    const key = decodeURIComponent((request.url ?? "").slice(1));
    served.asked.push(key);
    const bytes = file(key);
    served.bytes += bytes?.length ?? 0;
    if (pace) {
      freeAt = Math.max(Date.now(), freeAt) + (1000 * (bytes?.length ?? 0)) / pace.bytesPerSecond;
      await wait(Math.max(pace.latencyMs, freeAt - Date.now()));
    }
    response.setHeader("ETag", `"${key}"`);
    if (!bytes) response.writeHead(404).end();
    else response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  served.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return served;
}
