/** Frames of a kernel message, parted by a byte of 255 (which UTF-8 has not). */
import { decode, sign } from "../../../dist/kernel/wire/message.js";
import { reader } from "../support.mjs";

const header = '{"msg_id":"1","msg_type":"execute_request","session":"s","username":"u","date":"","version":"5.4"}';
const parts = [header, "{}", "{}", '{"code":"1 + 1","silent":false}'];
export const seeds = () => [
  Buffer.concat(
    ["peer", "<IDS|MSG>", sign("key", parts), ...parts].flatMap((part) => [Buffer.from(part), Buffer.of(255)]),
  ),
  Buffer.concat(["<IDS|MSG>", "", ...parts].flatMap((part) => [Buffer.from(part), Buffer.of(255)])),
];
export const dictionary = ["<IDS|MSG>", "\xff", "{}", "null", '"msg_id":', "[]"];
const frames = (data) => {
  const out = [];
  for (let at = 0; at <= data.length; ) {
    const end = data.indexOf(255, at);
    out.push(data.subarray(at, end < 0 ? data.length : end));
    if (end < 0) break;
    at = end + 1;
  }
  return out;
};
// what a message is refused with is caught by whoever reads it: an Error in words, or JSON's
const refuses = (error) => error instanceof SyntaxError || error?.constructor === Error;
export const fuzz = reader((data) => {
  for (const key of ["", "key"]) {
    try {
      decode(key, frames(data));
    } catch (error) {
      if (!refuses(error)) throw error;
    }
  }
});
