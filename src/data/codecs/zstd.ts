/** Decoding Zstandard where no native library is: by Node itself from 22.15 on, else by WebAssembly. */
import * as zlib from "node:zlib";
import { refuse } from "./stage.js";
import { zstdContentSize } from "./zstdFrame.js";

/** Decodes frames of at most `size` bytes. @throws Error if they are damaged or hold more */
export type ZstdDecoder = (bytes: Uint8Array, size: number) => Uint8Array;

type NodeZstd = (bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number }) => Buffer;

let opened: Promise<ZstdDecoder> | null = null;

/** Opens the decoder once. */
export function openZstd(): Promise<ZstdDecoder> {
  opened ??= open();
  return opened;
}

async function open(): Promise<ZstdDecoder> {
  const ofNode = (zlib as { zstdDecompressSync?: NodeZstd }).zstdDecompressSync;
  if (ofNode) {
    return checked((bytes, size) => ofNode(bytes, { maxOutputLength: size, chunkSize: Math.max(64, size) }));
  }
  const { ZSTDDecoder } = await import("zstddec");
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return checked((bytes, size) => decoder.decode(bytes, size));
}

/** The frames are looked at first: a decoder never sees data that break off or say that they hold more. */
const checked =
  (decode: ZstdDecoder): ZstdDecoder =>
  (bytes, size) => {
    const says = zstdContentSize(bytes);
    if (says !== null && says > size) throw refuse(`Zstandard gives ${says} bytes instead of ${size}`);
    if (size === 0) return new Uint8Array(0);
    const decoded = decode(bytes, size);
    if (says !== null && decoded.length !== says) throw refuse("the Zstandard data are damaged");
    return decoded;
  };
