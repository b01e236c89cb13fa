/** Who a server is told that one is: from the environment or a netrc file, never from the address, never in a message. */
import { homedir } from "node:os";
import { join } from "node:path";
import { readBoundedSync } from "../../../budgets.js";
import { AtmorepError } from "../../../errors.js";

/** of a netrc file */
const MOST_BYTES = 2 ** 20;

/**
 * The `Authorization` header for a store's server, undefined if there is none: the variable `ATMOREP_AUTHORIZATION`
 * (such as `Bearer ...`), else what the netrc file (`NETRC`, default `~/.netrc`) has for the host, as Basic
 * authentication.
 * @throws AtmorepError (usage) for a name and password in the address, or if they would travel unencrypted
 */
export function authorizationFor(address: URL): string | undefined {
  if (address.username || address.password) {
    throw new AtmorepError("usage", "an address with a name or password in it would end in logs and configurations", {
      where: `${address.origin}${address.pathname}`,
      fix: `Leave them out and put "machine ${address.hostname} login NAME password WORD" into ~/.netrc`,
    });
  }
  const found = process.env.ATMOREP_AUTHORIZATION ?? fromNetrc(address.hostname);
  if (found === undefined || address.protocol === "https:" || isLoopback(address.hostname)) return found;
  throw new AtmorepError("usage", "a name and password would travel unencrypted", {
    where: address.origin,
    found: process.env.ATMOREP_AUTHORIZATION ? "ATMOREP_AUTHORIZATION is set" : "the netrc file has this host",
    fix: "Give an address that begins with https://",
  });
}

const isLoopback = (host: string) => host === "localhost" || host === "[::1]" || host.startsWith("127.");

function fromNetrc(host: string): string | undefined {
  let text: string;
  try {
    text = readBoundedSync(process.env.NETRC ?? join(homedir(), ".netrc"), MOST_BYTES).toString("utf8");
  } catch {
    return undefined;
  }
  const entry = netrcEntry(text, host);
  return entry && `Basic ${Buffer.from(`${entry.login}:${entry.password}`).toString("base64")}`;
}

/** The entry of a host in the text of a netrc file, else its `default`; as curl reads it, macros left out. */
export function netrcEntry(text: string, host: string): { login: string; password: string } | undefined {
  // a macro goes on to the next empty line
  const words = text.replace(/^\s*macdef[\s\S]*?(\n\s*\n|$(?![\s\S]))/gm, "").match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const entries: { host: string | null; login: string; password: string }[] = [];
  for (let i = 0; i < words.length; i++) {
    const value = () => (words[++i] ?? "").replace(/^"(.*)"$/, "$1").replace(/\\(.)/g, "$1");
    const last = entries[entries.length - 1];
    if (words[i] === "machine") entries.push({ host: value(), login: "", password: "" });
    else if (words[i] === "default") entries.push({ host: null, login: "", password: "" });
    else if (words[i] === "login" && last) last.login = value();
    else if (words[i] === "password" && last) last.password = value();
    else if (words[i] === "account") value();
  }
  return entries.find((entry) => entry.host === host) ?? entries.find((entry) => entry.host === null);
}
