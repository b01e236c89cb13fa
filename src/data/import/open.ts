/** Opening an input file by what is in it, whatever its name. */
import { stat } from "node:fs/promises";
import { openRegular } from "../../budgets.js";
import { isUrl } from "../../config/resolve.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { splitAddress } from "../source/index.js";
import { ChunkCache, PARTS_BYTES } from "./cache.js";
import { gridded } from "./conventions.js";
import { openGrib } from "./grib/index.js";
import { openNetcdf3 } from "./netcdf3.js";
import { openNetcdf4 } from "./netcdf4.js";
import { openOtherZarr } from "./otherZarr.js";
import type { InputFile, RawDataset, ReadOptions } from "./types.js";
import { openZipped } from "./zipped.js";

/** HDF5's signature may stand behind a user block of 512 bytes or a power of 2 times that. */
const HDF5_STARTS = [0, 512, 1024, 2048];

/**
 * Opens a file: NetCDF-3, NetCDF-4, GRIB of edition 1 or 2, a zip file of these, or a Zarr group in a folder, a zip
 * file or at an http address.
 * @throws AtmorepError (input) if it cannot be opened or is none of these
 */
export async function openInput(path: string, given: ReadOptions = {}): Promise<InputFile> {
  const options: ReadOptions = { ...given, parts: given.parts ?? new ChunkCache(PARTS_BYTES) };
  const remote = isUrl(path);
  const info = remote ? null : await stat(splitAddress(path).place).catch(() => null);
  if (!remote && !info) {
    throw new AtmorepError("input", "there is no such file", { where: path, fix: "Check the path" });
  }
  if (remote || info?.isDirectory()) return closing(await openOtherZarr(path, options), options);
  const start = await firstBytes(splitAddress(path).place);
  const text = start.toString("latin1");
  if (text.startsWith("CDF") && [1, 2, 5].includes(start[3])) return closing(await openNetcdf3(path), options);
  if (HDF5_STARTS.some((at) => text.startsWith("\x89HDF\r\n\x1a\n", at)))
    return closing(await openNetcdf4(path, options), options);
  if (text.includes("GRIB")) return openGrib(path);
  if (text.startsWith("PK")) {
    const zipped =
      path === splitAddress(path).place ? await openZipped(path, (file) => openInput(file, options)) : null;
    return zipped ?? closing(await openOtherZarr(path, options), options);
  }
  throw new AtmorepError("input", "the format of the file is not known", {
    where: path,
    found: `${start.length === 0 ? "an empty file" : `the first bytes ${start.subarray(0, 8).toString("hex")}`}`,
    expected: "NetCDF-3, NetCDF-4, GRIB (edition 1 or 2), or a Zarr group (folder, zip file or http address)",
  });
}

async function closing(dataset: RawDataset, options: ReadOptions): Promise<InputFile> {
  try {
    return await gridded(dataset, options);
  } catch (error) {
    await dataset.close();
    throw error;
  }
}

async function firstBytes(path: string): Promise<Buffer> {
  try {
    const handle = await openRegular(path);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (isAtmorepError(cause)) throw cause;
    throw new AtmorepError("input", `cannot be read (${(cause as NodeJS.ErrnoException).code ?? cause})`, {
      where: path,
      cause,
    });
  }
}
