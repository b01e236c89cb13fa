/** Zip archives as stores, weights and wheels have them. */
import { extractWheel, wheelEntries } from "../../../dist/engine/install/wheel.js";
import { isAtmorepError } from "../../../dist/errors.js";
import { ZipReader } from "../../../dist/formats/zip/reader.js";
import { asFile, reader, scratch, using } from "../support.mjs";

export const dictionary = [
  "PK\x05\x06",
  "PK\x01\x02",
  "PK\x03\x04",
  "PK\x06\x06",
  "PK\x06\x07",
  "\xff\xff\xff\xff",
  "\x01\0\x1c\0",
  "../",
  "x.dist-info/RECORD",
  ",sha256=",
];
export const fuzz = reader(async (data) => {
  const path = asFile(data, "archive.zip");
  await using(ZipReader.open(path), async (zip) => {
    for (const entry of zip.entries.values()) await zip.read(entry);
  }).catch((error) => {
    if (!isAtmorepError(error)) throw error;
  });
  const names = await wheelEntries(path);
  await extractWheel(
    path,
    names.map((entry, i) => ({ entry, file: `file${i % 4}` })),
    scratch(),
  );
});
