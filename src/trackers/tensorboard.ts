/**
 * Event files of TensorBoard: records of TFRecord (length, its checksum, message, its checksum) that hold messages of
 * tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto. `tensorboard --logdir tensorboard` reads them.
 */
import { open } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { crc32c } from "../data/codecs/checksums.js";
import { makeFolder } from "../formats/atomic.js";
import { grouped, type TrackedRow, type TrackedRun, type Tracker } from "./tracker.js";

const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 };
const VALUE = { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 };
/** tensorflow/core/framework/types.proto */
const DT_STRING = 7;
/** SessionLog.START: rows from this step on that an earlier file holds are no longer true. */
const START = 1;

/** @returns a tracker that writes `<out>/tensorboard/id<ID>/events.out.tfevents...` */
export async function tensorboard(run: TrackedRun): Promise<Tracker> {
  const folder = join(run.out, "tensorboard", `id${run.id}`);
  await makeFolder(folder);
  const name = `events.out.tfevents.${Math.floor(run.began / 1000)}.${hostname()}.${process.pid}`;
  const file = await open(join(folder, name), "a");
  const write = async (event: BinaryWriter) => {
    await file.appendFile(record(event.finish()));
  };
  const at = (time: number, step: number) =>
    new BinaryWriter()
      .tag(EVENT.wallTime, 1)
      .double(time / 1000)
      .tag(EVENT.step, 0)
      .int64(step);
  await write(at(run.began, 0).tag(EVENT.fileVersion, 2).string("brain.Event:2"));
  if (run.firstStep > 1) {
    const session = new BinaryWriter().tag(1, 0).int32(START).finish();
    await write(at(run.began, run.firstStep).tag(EVENT.sessionLog, 2).bytes(session));
  }
  const markdown = `    ${JSON.stringify(run.config, null, 2).replaceAll("\n", "\n    ")}`;
  await write(
    at(run.began, run.firstStep - 1)
      .tag(EVENT.summary, 2)
      .bytes(textSummary("configuration", markdown)),
  );
  return {
    where: `TensorBoard: ${folder}`,
    async row({ time, step, values }: TrackedRow) {
      const summary = new BinaryWriter();
      for (const [series, value] of Object.entries(values)) {
        const scalar = new BinaryWriter()
          .tag(VALUE.tag, 2)
          .string(grouped(series))
          .tag(VALUE.simpleValue, 5)
          .float(value);
        summary.tag(1, 2).bytes(scalar.finish());
      }
      await write(at(time, step).tag(EVENT.summary, 2).bytes(summary.finish()));
    },
    end: () => file.close(),
  };
}

/** A text for the page "Text", as tensorboard.plugins.text.summary_v2 makes it. */
function textSummary(tag: string, text: string): Uint8Array {
  const plugin = new BinaryWriter().tag(1, 2).string("text").finish();
  const metadata = new BinaryWriter().tag(1, 2).bytes(plugin).finish();
  const tensor = new BinaryWriter().tag(1, 0).int32(DT_STRING).tag(2, 2).bytes(new Uint8Array());
  tensor.tag(8, 2).bytes(new TextEncoder().encode(text));
  const value = new BinaryWriter().tag(VALUE.tag, 2).string(tag);
  value.tag(VALUE.tensor, 2).bytes(tensor.finish()).tag(VALUE.metadata, 2).bytes(metadata);
  return new BinaryWriter().tag(1, 2).bytes(value.finish()).finish();
}

/** TFRecord. */
function record(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + message.length + 4);
  bytes.writeBigUInt64LE(BigInt(message.length), 0);
  bytes.writeUInt32LE(masked(bytes.subarray(0, 8)), 8);
  bytes.set(message, 12);
  bytes.writeUInt32LE(masked(message), 12 + message.length);
  return bytes;
}

/** A checksum of what may itself hold checksums (tensorflow/core/lib/hash/crc32c.h). */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
