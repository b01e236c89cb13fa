/** What stands after `#` in the name of a source: a group of a Zarr store, and the version of an Icechunk repository. */
import { existsSync } from "node:fs";
import { AtmorepError } from "../../errors.js";

/** A version of an Icechunk repository. */
export interface Version {
  kind: "branch" | "tag" | "snapshot";
  name: string;
}

export interface Address {
  /** of the store or repository */
  place: string;
  /** path of the group in it, "" for the root */
  group: string;
  /** null: none is named */
  version: Version | null;
}

const VERSIONED = /^(branch|tag|snapshot|group)=/;

/**
 * `era5.zarr#pressure/daily` is a group, `era5#branch=main`, `era5#tag=v1&group=pressure` and `era5#snapshot=ID` are
 * versions of an Icechunk repository. A path that exists is taken as it is.
 * @throws AtmorepError (usage) for a version that is not named so
 */
export function splitAddress(location: string): Address {
  const at = location.lastIndexOf("#");
  if (at < 0 || existsSync(location)) return { place: location, group: "", version: null };
  const [place, after] = [location.slice(0, at), location.slice(at + 1)];
  if (!VERSIONED.test(after)) return { place, group: bare(after), version: null };
  const address: Address = { place, group: "", version: null };
  for (const part of after.split("&")) {
    const [, key, name] = /^([a-z]+)=(.+)$/.exec(part) ?? [];
    if (key === "group") address.group = bare(name);
    else if ((key === "branch" || key === "tag" || key === "snapshot") && address.version === null) {
      address.version = { kind: key, name };
    } else {
      throw new AtmorepError("usage", "a version that cannot be followed", {
        where: location,
        found: part,
        expected: "one of branch=NAME, tag=NAME and snapshot=ID; with &group=PATH a group in it",
        fix: `Such as ${place}#branch=main`,
      });
    }
  }
  return address;
}

/** What `splitAddress` takes apart. */
export function formatAddress({ place, group, version }: Address): string {
  if (version === null) return group === "" ? place : `${place}#${group}`;
  return `${place}#${versionText(version)}${group === "" ? "" : `&group=${group}`}`;
}

/** The same place and group, in a version. */
export const withVersion = (location: string, version: Version): string =>
  formatAddress({ ...splitAddress(location), version });

export const versionText = ({ kind, name }: Version): string => `${kind}=${name}`;

const bare = (group: string) => group.replace(/^\/+|\/+$/g, "");
