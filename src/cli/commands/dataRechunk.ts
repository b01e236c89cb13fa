/** `atmorep data rechunk`. */
import { type Command, Option } from "commander";
import type { RechunkSummary } from "../../data/rechunk/index.js";
import { COMPRESSORS, type Compressor } from "../../data/zarr/encode.js";
import { note, print, printJson, withExamples } from "../output.js";
import { type ChunkFlags, chosenChunks } from "./dataChunks.js";
import { partLine, type WorkFlags, withWork, worked } from "./dataWork.js";

interface Flags extends WorkFlags, ChunkFlags {
  out: string;
  codec?: Compressor;
  json?: boolean;
}

export function registerRechunk(data: Command): void {
  const command = data
    .command("rechunk")
    .argument("<store>", "a store in a folder or a zip file")
    .requiredOption("--out <store>", "the new store: a folder, or a file that ends in .zip")
    .description("writes a store again in other chunks, with a checksum: the same values to the bit, all else kept")
    .option(
      "--chunks <shape>",
      "extents of a chunk, such as time=4,field=1,level=1 (also lat, lon); auto lays the store out for --config; as they are without it",
    )
    .option("--config <file>", "configuration or preset that --chunks auto is for")
    .addOption(
      new Option("--codec <name>", "compression of the values (default blosc); blosc and zstd carry checksums").choices(
        COMPRESSORS,
      ),
    )
    .option("--json", "machine-readable output")
    .action(async (location: string, flags: Flags) => {
      const { rechunkStore } = await import("../../data/rechunk/index.js");
      const summary = await worked("data rechunk", flags, async (work) => {
        const chunks = await chosenChunks(flags, work.note);
        return rechunkStore(location, flags.out, { ...work, chunks, compressor: flags.codec });
      });
      if (summary === null) return;
      if (flags.json) return printJson(summary);
      if (summary.unfinished !== null && flags.part) return note(partLine(flags.part, summary.unfinished, flags.out));
      for (const line of linesOf(summary)) print(line);
      note(`next: npx atmorep data info ${flags.out}`);
    });
  withExamples(withWork(command), [
    "data rechunk era5.zarr --out era5-chunks.zarr --chunks time=1,field=1,level=1",
    "data rechunk era5.zarr --out era5-u.zarr --chunks auto --config my.json --codec zstd",
  ]);
}

const linesOf = ({ path, arrays, compressor }: RechunkSummary): string[] => [
  `${path}: ${compressor}`,
  ...arrays.map(({ name, from, to }) => `  ${name.padEnd(8)}  chunks [${from.join(", ")}] became [${to.join(", ")}]`),
];
