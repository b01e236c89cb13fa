/** Blosc, zstd and lz4: by libblosc2 where it is, else by what Node has and code of our own. */
import { openBlosc } from "../../native/index.js";
import { bloscBlocks } from "./bloscBlocks.js";
import { bloscHeader } from "./bloscHeader.js";
import { bloscPlain } from "./bloscPlain.js";
import { lz4Plain } from "./inRoom.js";
import { compressed, refuse, type Size, type Stage, stated } from "./stage.js";
import { openZstd } from "./zstd.js";
import { zstdContentSize } from "./zstdFrame.js";

/** What decodes: for a person. */
export function decoderText(): string {
  const native = openBlosc();
  if (!native) return "Node's zlib and code of our own (libblosc2 is faster: atmorep engine install --only blosc)";
  const more = [native.zstd && "zstd", native.lz4 && "lz4"].filter((name) => name);
  const with_ = more.length > 0 ? ` with ${more.join(" and ")}` : "";
  return `libblosc2 ${native.version}${with_} (${native.library.source}: ${native.library.path})`;
}

export const bloscStage = (name: string): Stage => ({
  name,
  encoded: compressed,
  async decode(bytes, size, into) {
    const header = bloscHeader(bytes, size);
    const out = room(into, header.decodedBytes);
    const native = openBlosc();
    if (!native) await bloscPlain(bytes, header, out);
    else {
      if (!header.stored) bloscBlocks(bytes, header);
      whole(await native.blosc(bytes, out), out);
    }
    return out;
  },
});

export const zstdStage = (name: string): Stage => ({
  name,
  encoded: compressed,
  async decode(bytes, size, into) {
    const says = zstdContentSize(bytes);
    if (says !== null) stated(says, size);
    const zstd = openBlosc()?.zstd;
    if (!zstd) return (await openZstd())(bytes, size.bytes);
    const out = room(into, says ?? size.bytes);
    const written = await zstd(bytes, out);
    if (written < 0) throw refuse("the data are damaged");
    return out.subarray(0, written);
  },
});

/** numcodecs' LZ4: the length of the result, then one block. */
export const lz4Stage = (name: string): Stage => ({
  name,
  encoded: compressed,
  async decode(bytes, size: Size, into) {
    if (bytes.length < 5) throw refuse("the data break off");
    const says = new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
    if (says <= 0) throw refuse("the length of the data is damaged");
    const out = room(into, stated(says, size));
    const lz4 = openBlosc()?.lz4;
    if (!lz4) lz4Plain(bytes, 4, out);
    else whole(await lz4(bytes.subarray(4), out), out);
    return out;
  },
});

/** The place that is given, if it has the right length, or a new one. */
const room = (into: Uint8Array | undefined, bytes: number): Uint8Array =>
  into?.length === bytes ? into : new Uint8Array(bytes);

function whole(written: number, out: Uint8Array): void {
  if (written < 0) throw refuse("the data are damaged");
  if (written !== out.length) throw refuse(`the data give ${written} bytes instead of ${out.length}`);
}
