/** Where the program keeps what it can get or compute again. */
import { homedir } from "node:os";
import { join } from "node:path";

/** `atmorep/NAME` in `XDG_CACHE_HOME`, else in `~/.cache`; not made. */
export const userCache = (name: string): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "atmorep", name);
