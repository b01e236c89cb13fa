import { unpickle } from "../../../dist/formats/torch/unpickle.js";
import { reader } from "../support.mjs";

export const dictionary = [
  "c",
  "ctorch._utils\n_rebuild_tensor_v2\n",
  "ccollections\nOrderedDict\n",
  "R",
  "Q",
  "(",
  "t",
  "}",
  "u",
  "s",
  "h\0",
  "q\0",
  "\x8a\x08",
  ".",
  "\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
  "X\xff\xff\xff\x7f",
  "2",
  "b",
];
export const fuzz = reader((data) => {
  unpickle(new Uint8Array(data), "fuzz.pkl");
});
