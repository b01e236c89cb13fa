/** `.mod` and `.safetensors` files: zip, pickle and header, every tensor, and as a checkpoint. */
import { isAtmorepError } from "../../../dist/errors.js";
import { openWeights } from "../../../dist/formats/weights.js";
import { readCheckpoint } from "../../../dist/runs/checkpoint.js";
import { asFile, reader, using } from "../support.mjs";

export const dictionary = [
  "PK\x05\x06",
  "PK\x01\x02",
  "PK\x03\x04",
  "\xff\xff\xff\xff",
  '"shape":[',
  '"data_offsets":[0,',
  '"__metadata__":{',
  '"F32"',
  "9007199254740993",
  "PK\x06\x06",
  "PK\x06\x07",
];
export const fuzz = reader(async (data) => {
  const path = asFile(data, "weights");
  await using(openWeights(path), async (file) => {
    for (const { name } of file.tensors) await file.read(name);
  }).catch((error) => {
    if (!isAtmorepError(error)) throw error;
  });
  await readCheckpoint(path);
});
