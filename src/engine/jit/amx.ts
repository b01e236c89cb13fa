/** The matrix unit of x86 processors (Intel AMX): products of tiles of bfloat16 numbers, summed as float32. */
import { type Body, I64, i64, type Value } from "../llvm/ir.js";

/** Rows of a tile, and float32 numbers in each. */
export const TILE = 16;
/** bfloat16 numbers in a row of a tile: terms of one product */
export const TERMS = 32;
/** bytes of a row, and of a tile */
export const TILE_ROW = 64;
export const TILE_BYTES = TILE * TILE_ROW;

const COUNT = 8;
const CONFIGURATION_BYTES = 64;
const FIRST_WIDTH = 16;
const FIRST_HEIGHT = 48;

const tileNumber = (tile: number): Value => ({ type: "i8", text: String(tile) });
const byte = tileNumber;
const call = (body: Body, name: string, args: Value[]): void => {
  body.call("void", `@llvm.x86.${name}`, args);
};

/** Makes all eight tiles full ones, until `releaseTiles`. */
export function configureTiles(body: Body): void {
  const at = body.alloca("i8", CONFIGURATION_BYTES);
  const put = (index: number, value: number) => body.store(byte(value), body.at(at, index, "i8"));
  for (let i = 0; i < CONFIGURATION_BYTES; i++) put(i, 0);
  put(0, 1);
  for (let tile = 0; tile < COUNT; tile++) {
    // widths are of two bytes
    put(FIRST_WIDTH + 2 * tile, TILE_ROW);
    put(FIRST_HEIGHT + tile, TILE);
  }
  call(body, "ldtilecfg", [at]);
}

export const releaseTiles = (body: Body): void => call(body, "tilerelease", []);

/** @param stride bytes from row to row */
export const loadTile = (body: Body, tile: number, at: Value, stride: Value | number): void =>
  call(body, "tileloadd64", [tileNumber(tile), at, strideOf(stride)]);

export const storeTile = (body: Body, tile: number, at: Value, stride: Value | number): void =>
  call(body, "tilestored64", [tileNumber(tile), at, strideOf(stride)]);

/** sums += a b: a of 16 x 32 numbers, b of 32 x 16 with pairs of rows interleaved */
export const multiplyTiles = (body: Body, sums: number, a: number, b: number): void =>
  call(body, "tdpbf16ps", [sums, a, b].map(tileNumber));

const strideOf = (stride: Value | number): Value =>
  typeof stride === "number" ? i64(stride) : { ...stride, type: I64 };
