/** What stands after `#` in the name of a source, and Icechunk where its package is not there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { splitAddress, withVersion } from "../../src/data/source/address.js";
import { openStore } from "../../src/data/store.js";
import { pinnedPath } from "../../src/training/data.js";
import { serveFolder } from "../support/fileServer.js";

const folder = mkdtempSync(join(tmpdir(), "atmorep-address-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the name of a source", () => {
  it.each([
    ["era5.zarr", { place: "era5.zarr", group: "", version: null }],
    ["era5.zarr#/pressure/daily/", { place: "era5.zarr", group: "pressure/daily", version: null }],
    ["era5#branch=main", { place: "era5", group: "", version: { kind: "branch", name: "main" } }],
    ["s3://b/era5#tag=v1&group=a/b", { place: "s3://b/era5", group: "a/b", version: { kind: "tag", name: "v1" } }],
    [
      "https://h/e?sig=a%23b#snapshot=ID",
      { place: "https://h/e?sig=a%23b", group: "", version: { kind: "snapshot", name: "ID" } },
    ],
    ["era5#group=a", { place: "era5", group: "a", version: null }],
  ] as const)("%s", (location, parts) => {
    expect(splitAddress(location)).toEqual(parts);
  });

  it("is refused with two versions, or an unknown word", () => {
    expect(() => splitAddress("era5#branch=main&tag=v1")).toThrow(/cannot be followed; found tag=v1/);
    expect(() => splitAddress("era5#branch=main&at=v1")).toThrow(/cannot be followed; found at=v1/);
    expect(() => splitAddress("era5#branch=")).toThrow(/cannot be followed; found branch=/);
  });

  it("takes a path that exists as it is", () => {
    const path = join(folder, "odd#branch=main");
    mkdirSync(path);
    expect(splitAddress(path)).toEqual({ place: path, group: "", version: null });
  });

  it("is pinned by the snapshot that was opened, and keeps its group", () => {
    const version = { kind: "snapshot", name: "ID" } as const;
    expect(withVersion("era5#branch=main&group=a/b", version)).toBe("era5#snapshot=ID&group=a/b");
    expect(pinnedPath("data/era5#tag=v1", "/home/me/data/era5#snapshot=ID")).toBe("data/era5#snapshot=ID");
    expect(pinnedPath("era5.zarr#a", "/home/me/era5.zarr#a")).toBe("era5.zarr#a");
  });
});

describe("an Icechunk repository without the package", () => {
  it.each([
    ["format 1", "refs/branch.main", "ref.json"],
    ["format 2", "", "repo"],
  ])("%s is told as what it is, in a folder and over http, with what to install", async (format, within, file) => {
    vi.stubEnv("ATMOREP_ICECHUNK", join(folder, "nothing here"));
    const repository = join(folder, format.replace(" ", ""));
    mkdirSync(join(repository, within), { recursive: true });
    writeFileSync(join(repository, within, file), "{}");
    const served = await serveFolder(folder);
    const message = /an Icechunk repository, which the package @earthmover\/icechunk reads; it is not installed/;
    for (const place of [repository, `${repository}#branch=main`, `${served.address}/${format.replace(" ", "")}`]) {
      await expect(openStore(place)).rejects.toThrow(message);
      await expect(openStore(place)).rejects.toThrow(/npm install --no-save @earthmover\/icechunk@/);
    }
    vi.unstubAllEnvs();
  });

  it("is not looked for in a folder that is no store", async () => {
    const path = join(folder, "empty");
    mkdirSync(path);
    await expect(openStore(path)).rejects.toThrow(/not a Zarr store/);
  });
});
