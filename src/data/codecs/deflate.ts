/** zlib and gzip by Node's zlib, bounded by what the chunk holds. */
import { gunzip, gunzipSync, inflate, inflateSync, type ZlibOptions } from "node:zlib";
import { compressed, refuse, type Stage } from "./stage.js";

/** From this many bytes on another thread does the work. */
const ASYNC_BYTES = 1 << 16;

/** With the option `info`: the output, and how much of the input it took. */
interface Output {
  buffer: Buffer;
  engine: { bytesWritten: number };
}
type Options = ZlibOptions & { info: true };
type Sync = (bytes: Uint8Array, options: Options) => Output;
type Async = (bytes: Uint8Array, options: Options, done: (error: Error | null, output: Output) => void) => void;

const zlibCalls = { sync: inflateSync as unknown as Sync, async: inflate as unknown as Async };
const gzipCalls = { sync: gunzipSync as unknown as Sync, async: gunzip as unknown as Async };

export function deflateStage(name: string, kind: "zlib" | "gzip"): Stage {
  const { sync, async } = kind === "zlib" ? zlibCalls : gzipCalls;
  return {
    name,
    encoded: compressed,
    async decode(bytes, size) {
      // One output buffer, and one byte more than is expected: its use shows that there is more.
      const options: Options = { info: true, maxOutputLength: size.bytes + 1, chunkSize: Math.max(64, size.bytes + 1) };
      if (!size.exact) options.chunkSize = 65536;
      const output =
        size.bytes < ASYNC_BYTES
          ? sync(bytes, options)
          : await new Promise<Output>((resolve, reject) => {
              async(bytes, options, (error, result) => (error ? reject(error) : resolve(result)));
            });
      if (output.engine.bytesWritten !== bytes.length) throw refuse("bytes after the end of the compressed data");
      return output.buffer;
    },
  };
}
