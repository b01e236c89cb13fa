/** Rules on times and places. */
import type { Fault } from "../faults.js";
import { endTime, parseIsoTime } from "../times.js";
import type { RunConfig } from "../types.js";
import type { Rule } from "./rule.js";

type DatesKey = "dates_train" | "dates_val" | "dates_test";
type YearsKey = "years_train" | "years_val";

const wellFormed = (key: DatesKey): Rule => ({
  reads: [key],
  check: (config) =>
    (config[key] ?? []).flatMap(([start, end], i): Fault[] => {
      const malformed = [start, end].flatMap((text, j): Fault[] =>
        parseIsoTime(text) === null
          ? [
              {
                code: "bad-time",
                path: `${key}[${i}][${j}]`,
                what: "not a time",
                found: text,
                expected: "an ISO time in UTC, such as 1996-01-05T18:00",
                fix: "Write it as YYYY-MM-DDTHH:MM",
              },
            ]
          : [],
      );
      if (malformed.length > 0 || parseIsoTime(start)! <= parseIsoTime(endTime(end))!) return malformed;
      return [
        {
          code: "reversed",
          path: `${key}[${i}]`,
          what: "the period ends before it starts",
          found: [start, end],
          expected: "[start, end]",
          fix: "Exchange the two",
        },
      ];
    }),
});

const disjointPeriods: Rule = {
  reads: ["dates_train", "dates_val", "years_train", "years_val"],
  check: (config) => {
    // by years alone an overlap is allowed, with a warning
    if (config.dates_train === null && config.dates_val === null) return [];
    const training = splitPeriods(config, "dates_train", "years_train");
    return splitPeriods(config, "dates_val", "years_val").flatMap((validation): Fault[] =>
      training
        .filter(overlaps(validation))
        .slice(0, 1)
        .map((overlapped) => ({
          code: "validation-overlaps-training",
          path: validation.path,
          what: `validation overlaps training (${overlapped.path})`,
          found: validation.found,
          expected: "no common time, so that no validation cube was trained on",
          fix: "Move one of the two, with a gap between them",
        })),
    );
  },
};

const overlaps =
  (one: Period) =>
  (other: Period): boolean =>
    one.start <= other.end && other.start <= one.end;

/** A test is there for what neither learning nor choosing has seen: no years are let pass either. */
const testApart: Rule = {
  reads: ["dates_test", "dates_train", "dates_val", "years_train", "years_val"],
  check: (config) => {
    const others = [
      ...splitPeriods(config, "dates_train", "years_train").map((period) => ({ name: "training", period })),
      ...splitPeriods(config, "dates_val", "years_val").map((period) => ({ name: "validation", period })),
    ];
    return splitPeriods(config, "dates_test", null).flatMap((test): Fault[] =>
      others
        .filter(({ period }) => overlaps(test)(period))
        .slice(0, 1)
        .map(({ name, period }) => ({
          code: "test-overlaps",
          path: test.path,
          what: `the test overlaps ${name} (${period.path})`,
          found: test.found,
          expected: "no common time, so that nothing was learned from or chosen on the test",
          fix: "Move one of the two, with a gap between them",
        })),
    );
  },
};

const yearsGiven = (years: YearsKey, dates: "dates_train" | "dates_val"): Rule => ({
  reads: [years, dates],
  check: (config) =>
    config[dates] !== null || config[years].length > 0
      ? []
      : [
          {
            code: "time-missing",
            path: years,
            what: "no years, and no dates either",
            found: config[years],
            expected: `at least one year, or ${dates}`,
            fix: `Set ${years} to years of the store`,
          },
        ],
});

const rangeOrdered: Rule = {
  reads: ["geo_range_sampling"],
  check: ({ geo_range_sampling: [[south, north], [west, east]] }) => {
    const faults: Fault[] = [];
    if (south > north) {
      faults.push({
        code: "reversed",
        path: "geo_range_sampling[0]",
        what: "the southern bound lies north of the northern one",
        found: [south, north],
        expected: "[south, north] in degrees, north positive",
        fix: `Write [${north}, ${south}]`,
      });
    }
    if (west > east) {
      faults.push({
        code: "reversed",
        path: "geo_range_sampling[1]",
        what: "the western bound lies east of the eastern one",
        found: [west, east],
        expected: "[west, east] in degrees, west at most east",
        fix: `Write [${west - 360}, ${east}] for a range across Greenwich`,
      });
    } else if (east - west > 360) {
      faults.push({
        code: "too-wide",
        path: "geo_range_sampling[1]",
        what: "the range is wider than the globe",
        found: [west, east],
        expected: "at most 360 degrees",
        fix: "Write [0, 360] for the whole globe",
      });
    }
    return faults;
  },
};

interface Period {
  path: string;
  found: unknown;
  /** seconds since 1970, both ends included */
  start: number;
  end: number;
}

/** The periods of a split, by its dates if it has them, else by its years, if it has such. */
function splitPeriods(config: RunConfig, dates: DatesKey, years: YearsKey | null): Period[] {
  const given =
    config[dates]?.map((found, i) => ({ path: `${dates}[${i}]`, found, from: found[0], to: found[1] })) ??
    (years === null ? [] : config[years]).map((year, i) => ({
      path: `${years}[${i}]`,
      found: year,
      from: `${String(year).padStart(4, "0")}-01-01`,
      to: `${String(year).padStart(4, "0")}-12-31T23:59:59`,
    }));
  return given.flatMap(({ path, found, from, to }) => {
    const start = parseIsoTime(from);
    const end = parseIsoTime(endTime(to));
    return start === null || end === null ? [] : [{ path, found, start, end }];
  });
}

export const TIME_RULES: readonly Rule[] = [
  wellFormed("dates_train"),
  wellFormed("dates_val"),
  wellFormed("dates_test"),
  disjointPeriods,
  testApart,
  yearsGiven("years_train", "dates_train"),
  yearsGiven("years_val", "dates_val"),
  rangeOrdered,
];
