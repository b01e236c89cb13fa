/** Icechunk's own storage on S3, with what AWS's tools take from the environment. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { AtmorepError } from "../../../errors.js";
import type { IcechunkPackage, IcechunkStorage } from "./package.js";

/** Variables that say who one is. */
const IDENTITY = [
  "AWS_ACCESS_KEY_ID",
  "AWS_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/**
 * `s3://bucket/prefix`: signed where the environment or `~/.aws/credentials` says by whom, else as anybody. Region and
 * server come from `AWS_REGION` and `AWS_ENDPOINT_URL`.
 */
export function s3Storage(Storage: IcechunkPackage["Storage"], place: string): IcechunkStorage {
  const { hostname: bucket, pathname } = new URL(place);
  const { env } = process;
  const file = env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), ".aws", "credentials");
  const known = IDENTITY.some((name) => env[name]) || existsSync(file);
  const endpointUrl = env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  try {
    return Storage.newS3(
      bucket,
      decodeURIComponent(pathname).replace(/^\/+|\/+$/g, ""),
      { type: known ? "FromEnv" : "Anonymous" },
      {
        region: env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? "us-east-1",
        anonymous: !known,
        ...(endpointUrl && { endpointUrl, forcePathStyle: true, allowHttp: endpointUrl.startsWith("http:") }),
      },
    );
  } catch (cause) {
    throw new AtmorepError("input", "S3 cannot be reached from here", {
      where: place,
      found: (cause as Error).message.split("\n")[0],
      expected: "Icechunk's binary: its WebAssembly build has no network",
      fix: "Give the https:// address of the bucket, or run it on a system with glibc 2.38 or later",
      cause,
    });
  }
}
