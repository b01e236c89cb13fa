/** `--offline`, of every command that opens a store. */
import type { Command } from "commander";

/** Adds the option to a command. Threads and children read the variable that it sets. */
export function withOffline<C extends Command>(command: C): C {
  command
    .option("--offline", "read http stores from what earlier runs kept on disk; ask no server")
    .hook("preAction", (_, action) => {
      if (action.opts().offline) process.env.ATMOREP_OFFLINE = "1";
    });
  return command;
}
