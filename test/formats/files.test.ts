import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  AtomicFile,
  cleanLeftovers,
  withAtomicFile,
  writeDirectoryAtomic,
  writeFileAtomic,
} from "../../src/formats/atomic.js";
import { npyBytes, readNpy, writeNpy } from "../../src/formats/npy.js";
import { ZipReader } from "../../src/formats/zip/reader.js";
import { ZipWriter } from "../../src/formats/zip/writer.js";
import { tempDir } from "../support/tempDir.js";

const HOST = hostname().replace(/[^A-Za-z0-9]/g, "");

/** A process id that is surely gone. */
const deadPid = () => spawnSync(process.execPath, ["-e", ""]).pid;

describe("atomic files", () => {
  test("nothing is seen before the commit, the whole file after it", async () => {
    const dir = tempDir();
    const path = join(dir, "sub", "a.txt");
    const file = await AtomicFile.create(path);
    await file.write(Buffer.from("abc"));
    await file.patch(Buffer.from("X"), 1);
    expect(existsSync(path)).toBe(false);
    await file.commit();
    expect(readFileSync(path, "utf8")).toBe("aXc");
    await writeFileAtomic(path, "new");
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(readdirSync(join(dir, "sub"))).toEqual(["a.txt"]);
  });

  test("a failure leaves the former file and nothing else", async () => {
    const dir = tempDir();
    const path = join(dir, "a.txt");
    await writeFileAtomic(path, "former");
    const failing = withAtomicFile(path, async (file) => {
      await file.write(Buffer.from("half"));
      throw new Error("disk full");
    });
    await expect(failing).rejects.toThrow("disk full");
    expect(readFileSync(path, "utf8")).toBe("former");
    expect(readdirSync(dir)).toEqual(["a.txt"]);
  });

  test("a folder takes the place of another whole or not at all", async () => {
    const dir = tempDir();
    const path = join(dir, "checkpoint");
    const fill = (text: string) => async (folder: string) => {
      mkdirSync(join(folder, "deep"));
      writeFileSync(join(folder, "deep", "state"), text);
    };
    await writeDirectoryAtomic(path, fill("one"));
    await writeDirectoryAtomic(path, fill("two"));
    const failing = writeDirectoryAtomic(path, async (folder) => {
      await fill("three")(folder);
      throw new Error("killed");
    });
    await expect(failing).rejects.toThrow("killed");
    expect(readFileSync(join(path, "deep", "state"), "utf8")).toBe("two");
    expect(readdirSync(dir)).toEqual(["checkpoint"]);
  });

  test("leftovers of dead processes are swept, those of living ones and other files stay", async () => {
    const dir = tempDir();
    const dead = deadPid();
    const keep = [`.b.tmp-${HOST}-${process.pid}-1`, "c.txt", ".c.tmp-elsewhere-1-1"];
    for (const name of [`.a.tmp-${HOST}-${dead}-1`, ...keep]) writeFileSync(join(dir, name), "x");
    mkdirSync(join(dir, `.run.old-${HOST}-${dead}-2`));
    writeFileSync(join(dir, `.run.old-${HOST}-${dead}-2`, "state"), "former");
    mkdirSync(join(dir, `.kept.old-${HOST}-${dead}-3`));
    mkdirSync(join(dir, "kept"));
    expect((await cleanLeftovers(dir)).length).toBe(3);
    expect(readdirSync(dir).sort()).toEqual([...keep, "kept", "run"].sort());
    expect(readFileSync(join(dir, "run", "state"), "utf8")).toBe("former");
    expect(await cleanLeftovers(join(dir, "none"))).toEqual([]);
  });
});

describe("zip", () => {
  const zipped = async (path: string, entries: [string, string][]) =>
    withAtomicFile(path, async (file) => {
      const zip = new ZipWriter(file);
      for (const [name, text] of entries) await zip.add(name, text);
      await zip.finish();
    });

  test("more than 65535 entries need zip64 and are read back", async () => {
    const path = join(tempDir(), "many.zip");
    const entries = Array.from({ length: 70_000 }, (_, i): [string, string] => [`e${i}`, String(i)]);
    await zipped(path, entries);
    const zip = await ZipReader.open(path);
    expect(zip.entries.size).toBe(70_000);
    expect(Buffer.from(await zip.read(zip.entries.get("e69999")!)).toString()).toBe("69999");
    await zip.close();
  });

  test("an entry twice, or of another size than announced, is a fault of the program", async () => {
    const dir = tempDir();
    await expect(
      zipped(join(dir, "a.zip"), [
        ["a", "1"],
        ["a", "2"],
      ]),
    ).rejects.toThrow("written twice");
    const short = withAtomicFile(join(dir, "b.zip"), (file) =>
      new ZipWriter(file).addChunks("x", 5, [Buffer.alloc(4)]),
    );
    await expect(short).rejects.toThrow("another size than announced");
    expect(readdirSync(dir)).toEqual([]);
  });

  test("a changed byte is noticed by the checksum", async () => {
    const path = join(tempDir(), "a.zip");
    await zipped(path, [["name", "content"]]);
    const bytes = readFileSync(path);
    bytes[bytes.indexOf("content")] ^= 1;
    writeFileSync(path, bytes);
    const zip = await ZipReader.open(path);
    await expect(zip.read(zip.entries.get("name")!)).rejects.toThrow("checksum");
    await zip.close();
  });
});

describe("npy", () => {
  test.each([
    [[2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)],
    [[], Float64Array.of(1.5)],
    [[3], Int32Array.of(1, -2, 3)],
    [[0, 4], new Float32Array(0)],
    [[1, 1, 1], BigInt64Array.of(-9n)],
  ])("%j is read as written", async (shape, data) => {
    const path = join(tempDir(), "a.npy");
    await writeNpy(path, shape, data);
    expect(await readNpy(path)).toEqual({ shape, data });
    expect((readFileSync(path).readUInt16LE(8) + 10) % 64).toBe(0);
  });

  test("damage is told", async () => {
    const path = join(tempDir(), "a.npy");
    const good = Buffer.from(npyBytes([2], Float32Array.of(1, 2)));
    for (const [bytes, message] of [
      [Buffer.from("text that is no array"), "not an npy file"],
      [good.subarray(0, good.length - 1), "do not fit"],
      [Buffer.from(good.toString("latin1").replace("<f4", ">f4"), "latin1"), "unknown dtype"],
    ] as const) {
      writeFileSync(path, bytes);
      await expect(readNpy(path)).rejects.toThrow(message);
    }
    expect(() => npyBytes([3], Float32Array.of(1))).toThrow("do not fit");
  });
});
