/** Reading what codecs wrote: bounded by the size of a chunk, verified where there is a checksum. */
export { decoderText } from "./blosc.js";
export { decodeInto } from "./chunkCodec.js";
export { MAX_VALUES, PresentError, type Presented, presentV2, presentV3 } from "./present.js";
export { Loan } from "./room.js";
export { supportedCodecs, unsupportedCodec } from "./table.js";
