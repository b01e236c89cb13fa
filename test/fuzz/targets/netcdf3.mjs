import { openInput } from "../../../dist/data/import/open.js";
import { asFile, reader, using } from "../support.mjs";

export const dictionary = [
  "CDF\x01",
  "CDF\x02",
  "CDF\x05",
  "\0\0\0\x0a",
  "\0\0\0\x0b",
  "\0\0\0\x0c",
  "\xff\xff\xff\xff",
  "\x7f\xff\xff\xff",
  "units",
  "_FillValue",
  "scale_factor",
  "hours since ",
  "days since ",
];
export const fuzz = reader(async (data) => {
  await using(openInput(asFile(data, "input")), async ({ variables }) => {
    for (const { readPlane, levels, times } of variables.slice(0, 4))
      await readPlane(times.length - 1, levels ? levels.length - 1 : 0);
  });
});
