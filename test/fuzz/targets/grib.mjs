import { openInput } from "../../../dist/data/import/open.js";
import { asFile, reader, using } from "../support.mjs";

export const dictionary = [
  "GRIB",
  "7777",
  "\xff\xff\xff",
  "\x80\0",
  "\0\0\0\x48\x03",
  "\0\0\0\x22\x04",
  "\0\0\0\x15\x05",
  "\xff\xff\xff\xff",
];
export const fuzz = reader(async (data) => {
  await using(openInput(asFile(data, "input")), async ({ variables }) => {
    for (const { readPlane, levels, times } of variables.slice(0, 4))
      await readPlane(times.length - 1, levels ? levels.length - 1 : 0);
  });
});
