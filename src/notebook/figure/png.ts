/** A heatmap as a PNG image of one pixel a cell, for SVG: a rectangle a cell would be a hundred times larger. */
import { zlibSync } from "fflate";
import { colorOf } from "./palette.js";
import type { Heatmap } from "./types.js";

/**
 * @param flipX whether the first column is drawn at the right, and so on
 * @returns a data URI
 */
export function heatmapImage(map: Heatmap, flipX: boolean, flipY: boolean): string {
  const { rows, columns, values, colors } = map;
  const stride = 1 + 4 * columns;
  const pixels = new Uint8Array(rows * stride);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const color = colorOf(values[(flipY ? rows - 1 - r : r) * columns + (flipX ? columns - 1 - c : c)], colors);
      if (color) pixels.set([...color, 255], r * stride + 1 + 4 * c);
    }
  }
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, columns);
  new DataView(header.buffer).setUint32(4, rows);
  // 8 bits a channel, red green blue alpha
  header.set([8, 6], 8);
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  const parts = [
    signature,
    chunk("IHDR", header),
    chunk("IDAT", zlibSync(pixels, { level: 9 })),
    chunk("IEND", new Uint8Array(0)),
  ];
  return `data:image/png;base64,${Buffer.concat(parts).toString("base64")}`;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(Buffer.from(type, "latin1"), 4);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
