import { openInput } from "../../../dist/data/import/open.js";
import { asFile, reader, using } from "../support.mjs";

export const dictionary = [
  "\x89HDF\r\n\x1a\n",
  "OHDR",
  "TREE",
  "SNOD",
  "HEAP",
  "GCOL",
  "FRHP",
  "BTHD",
  "\xff\xff\xff\xff\xff\xff\xff\xff",
  "\0\0\0\0",
];
export const fuzz = reader(async (data) => {
  await using(openInput(asFile(data, "input")), async ({ variables }) => {
    for (const { readPlane, levels, times } of variables.slice(0, 4))
      await readPlane(times.length - 1, levels ? levels.length - 1 : 0);
  });
});
