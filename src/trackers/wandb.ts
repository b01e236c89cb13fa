/**
 * A run as Weights & Biases keeps one offline: a file of records in the log format of LevelDB (blocks of 32 KiB; checksum, length
 * and kind before each piece) that hold messages of wandb_internal.proto. `wandb sync wandb/offline-run-...` sends it; nothing
 * here touches a network.
 */
import { open } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { makeFolder } from "../formats/atomic.js";
import type { TrackedRow, TrackedRun, Tracker } from "./tracker.js";

const RECORD = { num: 1, history: 2, summary: 3, metric: 12, run: 17, exit: 18, header: 21, info: 200 };
const BLOCK = 32_768;
const PIECE_HEAD = 7;
const PIECES = { full: 1, first: 2, middle: 3, last: 4 };
/** ":W&B", its magic number and the version of the format */
const FILE_HEAD = Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00]);

/** @returns a tracker that writes `<out>/wandb/offline-run-<time>-<ID>/run-<ID>.wandb` */
export async function wandb(run: TrackedRun): Promise<Tracker> {
  const folder = join(run.out, "wandb", `offline-run-${stamp(run.began)}-${run.id}`);
  await makeFolder(join(folder, "files"));
  const file = await open(join(folder, `run-${run.id}.wandb`), "ax");
  let at = FILE_HEAD.length;
  let records = 0;
  await file.appendFile(FILE_HEAD);
  const write = async (kind: number, message: BinaryWriter) => {
    const info = new BinaryWriter().tag(1, 2).string(run.id).finish();
    const record = new BinaryWriter().tag(RECORD.num, 0).int64(++records).tag(kind, 2).bytes(message.finish());
    const bytes = inBlocks(record.tag(RECORD.info, 2).bytes(info).finish(), at);
    at += bytes.length;
    await file.appendFile(bytes);
  };
  const producer = new BinaryWriter().tag(1, 2).string("atmorep").tag(2, 2).string("0.70.0").finish();
  await write(RECORD.header, new BinaryWriter().tag(1, 2).bytes(producer));
  await write(RECORD.run, runRecord(run));
  // the axis of every series, as steps and validations are rows of their own
  await write(RECORD.metric, new BinaryWriter().tag(1, 2).string("step"));
  await write(RECORD.metric, new BinaryWriter().tag(2, 2).string("*").tag(4, 2).string("step"));
  let last: Record<string, number> = {};
  return {
    where: `Weights & Biases, offline: ${folder}`,
    async row({ step, time, values, validation }: TrackedRow) {
      const number = 2 * step + (validation ? 1 : 0);
      const clocks = { _timestamp: time / 1000, _runtime: (time - run.began) / 1000 };
      const row = { ...values, step, _step: number, ...clocks };
      last = { ...last, ...row };
      const place = new BinaryWriter().tag(1, 0).int64(number).finish();
      await write(RECORD.history, items(1, row).tag(2, 2).bytes(place));
    },
    async end(end) {
      const [code, seconds] = [end === "failed" ? 1 : 0, Math.round((Date.now() - run.began) / 1000)];
      try {
        await write(RECORD.summary, items(1, last));
        await write(RECORD.exit, new BinaryWriter().tag(1, 0).int32(code).tag(2, 0).int32(seconds));
      } finally {
        await file.close();
      }
    },
  };
}

function runRecord({ id, config, began, firstStep }: TrackedRun): BinaryWriter {
  const time = new BinaryWriter()
    .tag(1, 0)
    .int64(Math.floor(began / 1000))
    .finish();
  const run = new BinaryWriter().tag(1, 2).string(id).tag(3, 2).string("atmorep");
  run.tag(4, 2).bytes(items(1, config, 1).finish());
  run.tag(13, 2).string(hostname()).tag(17, 2).bytes(time);
  return firstStep > 1
    ? run
        .tag(14, 0)
        .int64(2 * firstStep)
        .tag(18, 0)
        .bool(true)
    : run;
}

/** Items of a configuration, a summary or a row of the history, each with its value as JSON. */
function items(field: number, values: object, keyField = 2): BinaryWriter {
  const all = new BinaryWriter();
  for (const [key, value] of Object.entries(values)) {
    const item = new BinaryWriter()
      .tag(keyField, 2)
      .string(key)
      .tag(16, 2)
      .string(JSON.stringify(value ?? null));
    all.tag(field, 2).bytes(item.finish());
  }
  return all;
}

/** A record as it stands in the file from offset `at` on. */
function inBlocks(record: Uint8Array, at: number): Buffer {
  const parts: Uint8Array[] = [];
  let begun = false;
  for (let rest = record; ; ) {
    const room = BLOCK - (at % BLOCK);
    if (room < PIECE_HEAD) {
      parts.push(new Uint8Array(room));
      at += room;
      continue;
    }
    const piece = rest.subarray(0, room - PIECE_HEAD);
    rest = rest.subarray(piece.length);
    const whole = rest.length === 0;
    const kind = whole ? (begun ? PIECES.last : PIECES.full) : begun ? PIECES.middle : PIECES.first;
    const head = Buffer.alloc(PIECE_HEAD);
    head.writeUInt32LE(crc32(Buffer.concat([Uint8Array.of(kind), piece])), 0);
    head.writeUInt16LE(piece.length, 4);
    head.writeUInt8(kind, 6);
    parts.push(head, piece);
    at += PIECE_HEAD + piece.length;
    if (whole) return Buffer.concat(parts);
    begun = true;
  }
}

/** `20261130_133058`, local time as wandb has it. */
function stamp(time: number): string {
  const local = new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString();
  return local.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "_");
}
