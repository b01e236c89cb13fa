/** The eight numbers that tell the network when and where a token lies (docs/method.md, "Tokens"). */
import type { Field, RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { cos, sin } from "../math/index.js";
import type { Store } from "./storeTypes.js";
import type { Window } from "./types.js";

export const INFO_SIZE = 8;

/**
 * Token infos of one field for every sample of a batch: year, day of year from 0, hour, level, degrees from the North
 * pole, degrees East, level again, grid step in latitude. The date is the token's last time, the place the grid point
 * at index size/2 (rounded down) of the token.
 * @param first which axis stands first
 * @returns [L, B, N, 8], or [B, L, N, 8] with the samples first
 */
export function tokenInfos(
  field: Pick<Field, "levels" | "numTokens" | "tokenSize" | "N">,
  store: Pick<Store, "calendar" | "lats" | "lons" | "res">,
  windows: readonly Window[],
  first: "level" | "sample" = "level",
): Float32Array {
  const [nt, ny, nx] = field.numTokens;
  const [tt, ty, tx] = field.tokenSize;
  const { year, dayOfYear, hour } = store.calendar;
  const [halfY, halfX] = [Math.floor(ty / 2), Math.floor(tx / 2)];
  const out = new Float32Array(field.levels.length * windows.length * field.N * INFO_SIZE);
  const [L, B] = [field.levels.length, windows.length];
  const size = field.N * INFO_SIZE;
  const start = (l: number, b: number) => (first === "level" ? l * B + b : b * L + l) * size;
  for (const [b, { time, lat, lon }] of windows.entries()) {
    let o = start(0, b);
    for (let t = 0; t < nt; t++) {
      const last = time[t * tt + tt - 1];
      for (let y = 0; y < ny; y++) {
        const latitude = store.lats[lat[y * ty + halfY]];
        for (let x = 0; x < nx; x++, o += INFO_SIZE) {
          out[o] = year[last];
          out[o + 1] = dayOfYear[last];
          out[o + 2] = hour[last];
          out[o + 4] = latitude;
          out[o + 5] = store.lons[lon[x * tx + halfX]];
          out[o + 7] = store.res[0];
        }
      }
    }
    // levels differ in nothing but the level
    for (const [l, level] of field.levels.entries()) {
      const at = start(l, b);
      if (l > 0) out.copyWithin(at, start(0, b), start(0, b) + size);
      for (let i = at; i < at + size; i += INFO_SIZE) out[i + 3] = out[i + 6] = level;
    }
  }
  return out;
}

export interface TokenInfosTransformation {
  doc: string;
  /** years to add, by year */
  shift: ReadonlyMap<number, number>;
  /** a year that is not in the table: an error, or left as it is */
  others: "error" | "keep";
}

const years = (from: number, to: number, shift: number): [number, number][] =>
  Array.from({ length: to - from + 1 }, (_, i) => [from + i, shift]);

/** The reference's transformations of the year, by the names of `token_infos_transformation`. */
export const TOKEN_INFOS_TRANSFORMATIONS: Readonly<Record<string, TokenInfosTransformation>> = {
  identity: { doc: "Leaves the year as it is.", shift: new Map(), others: "keep" },
  token_infos_transformation_year_1980_2015: {
    doc: "Exchanges 1980-1982 and 2015-2017.",
    shift: new Map([...years(2015, 2017, -35), ...years(1980, 1982, 35)]),
    others: "error",
  },
  token_infos_transformation_year_1979_2017: {
    doc: "Takes 2017-2022 back and 1979-1985 forward by 38 years.",
    shift: new Map([...years(2017, 2022, -38), ...years(1979, 1985, 38)]),
    others: "error",
  },
  token_infos_transformation_year_1997_2015: {
    doc: "Exchanges 1997-1999 and 2015-2017.",
    shift: new Map([...years(2015, 2017, -18), ...years(1997, 1999, 18)]),
    others: "error",
  },
  token_infos_transformation_el_nino: {
    doc: "Exchanges 2008 (La Nina) and 2015 (El Nino).",
    shift: new Map([...years(2015, 2015, -7), ...years(2008, 2008, 7)]),
    others: "keep",
  },
  token_infos_transformation_extrapolation: {
    doc: "Takes 2017 to 2022, a year the network has not seen.",
    shift: new Map(years(2017, 2017, 5)),
    others: "error",
  },
};

/**
 * Shifts the years of token infos in place, each token by its own year.
 * @param infos [..., 8]
 * @param name a name of `TOKEN_INFOS_TRANSFORMATIONS`, or null for none
 * @throws AtmorepError (config) if the name is not known or a year is not in its table
 */
export function transformTokenInfos(infos: Float32Array, name: string | null): Float32Array {
  if (name === null) return infos;
  const transformation = TOKEN_INFOS_TRANSFORMATIONS[name];
  if (!transformation) {
    throw new AtmorepError("config", "unknown transformation of token infos", {
      where: "token_infos_transformation",
      found: name,
      expected: `one of ${Object.keys(TOKEN_INFOS_TRANSFORMATIONS).join(", ")}`,
    });
  }
  for (let o = 0; o < infos.length; o += INFO_SIZE) {
    const shift = transformation.shift.get(infos[o]);
    if (shift !== undefined) infos[o] += shift;
    else if (transformation.others === "error") {
      throw new AtmorepError("config", `the transformation has no shift for the year ${infos[o]}`, {
        where: "token_infos_transformation",
        found: name,
        expected: `years ${[...transformation.shift.keys()].join(", ")}`,
      });
    }
  }
  return infos;
}

const TURN = 2 * Math.PI;
const DAYS = 365.25;
const HOURS = 24;

/**
 * What `token_infos: "scaled"` makes of one token's infos: numbers of size 1, so that the embedding's norm is not that
 * of the year. Day and hour become points of a circle, so that midnight lies beside 23 h; their second coordinates
 * take the places of the level's repetition and of the grid step, which is the same in all of a store.
 */
function scaleToken([year, day, hour, level, latitude, longitude]: Float32Array): number[] {
  const [ofYear, ofDay] = [(TURN * day) / DAYS, (TURN * hour) / HOURS];
  return [
    (year - 2000) / 20,
    cos(ofYear),
    cos(ofDay),
    level / 500 - 1,
    latitude / 90 - 1,
    longitude / 180 - 1,
    sin(ofDay),
    sin(ofYear),
  ];
}

/**
 * Scales token infos in place, after any shift of their years.
 * @param infos [..., 8], raw
 * @param how the key `token_infos`; absent, as in configurations of before: raw, which leaves them as they are
 */
export function scaleTokenInfos(infos: Float32Array, how: RunConfig["token_infos"] | undefined): Float32Array {
  if (how !== "scaled") return infos;
  for (let o = 0; o < infos.length; o += INFO_SIZE) infos.set(scaleToken(infos.subarray(o, o + INFO_SIZE)), o);
  return infos;
}
