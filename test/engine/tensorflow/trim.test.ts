import { describe, expect, it } from "vitest";
import { cleanMappings } from "../../../src/engine/tensorflow/trim.js";

const mapping = (head: string, anonymous: number) =>
  `${head}\nRss: 8 kB\nAnonymous:         ${anonymous} kB\nVmFlags: rd`;

describe("cleanMappings", () => {
  it("names what is read-only and as it is in the file", () => {
    const smaps = [
      mapping("7f0000001000-7f0000003000 r-xp 00000000 00:1b 42                         /opt/libtensorflow_cc.so.2", 0),
      mapping("7f0000003000-7f0000004000 r--p 00002000 00:1b 42                         /opt/libtensorflow_cc.so.2", 0),
      mapping("7f0000004000-7f0000005000 r--p 00003000 00:1b 42                         /opt/libtensorflow_cc.so.2", 4),
      mapping("7f0000005000-7f0000006000 rw-p 00004000 00:1b 42                         /opt/libtensorflow_cc.so.2", 0),
      mapping("7f0000006000-7f0000007000 r-xp 00000000 00:1b 43                         /usr/lib/libc.so.6", 0),
      mapping("7f0000007000-7f0000008000 rw-p 00000000 00:00 0 ", 0),
    ].join("\n");
    expect(cleanMappings(smaps, "libtensorflow")).toEqual([
      { start: 0x7f0000001000, end: 0x7f0000003000 },
      { start: 0x7f0000003000, end: 0x7f0000004000 },
    ]);
  });
});
