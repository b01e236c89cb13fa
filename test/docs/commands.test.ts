/** Commands that pages show exist, with every flag and argument: they are parsed as the program does, and not run. */
import type { Command } from "commander";
import { expect, it } from "vitest";
import { createProgram } from "../../src/cli/main.js";
import { blocksOf, PAGES, textOf } from "./pages.js";

/** Words of a command line up to what a shell would do with its output. */
function words(line: string): string[] {
  const found: string[] = [];
  for (const [word] of line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)) {
    if (/^(?:[|;>&#)]|\d?>)/.test(word)) break;
    // the shell puts a number there
    const given = word.replace("$SLURM_ARRAY_TASK_ID", "1");
    found.push(given.replace(/'([^']*)'|"([^"]*)"/g, (_, a, b) => a ?? b));
  }
  return found;
}

/** Command lines of a page: in blocks of shell and indented; and in the text, where they are no pattern. */
function commandsOf(page: string): { shown: string[]; named: string[] } {
  const blocks = blocksOf(page)
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"));
  const indented = textOf(page).match(/^ {4}.*\batmorep .*$/gm) ?? [];
  const inline = [...textOf(page).matchAll(/`(npx atmorep [^`]+)`/g)].map(([, text]) => text.replaceAll("\n", " "));
  const called = (lines: string[]) =>
    lines
      .map((line) => /(?:\bnpx|bin\/)\s*atmorep(?:\.js)? (.*)$/.exec(line)?.[1])
      .filter((line) => line !== undefined);
  return {
    shown: called([...blocks, ...indented]),
    named: called(inline.filter((text) => !/[[\]|]|\.\.\.$|^npx atmorep [a-z]+, /.test(text))),
  };
}

function doNothing(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  if ("_actionHandler" in command && command._actionHandler) command.action(() => {});
  if (command.commands.length > 0) command.allowExcessArguments(false);
  for (const sub of command.commands) doNothing(sub);
}

/** What is wrong with the arguments, or null. @param named it is a command's name that may stand without arguments */
async function faultOf(args: string[], named = false): Promise<string | null> {
  const program = await createProgram(args);
  doNothing(program);
  try {
    await program.parseAsync(args, { from: "user" });
    return null;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    if (named && code === "commander.missingArgument") return null;
    return /helpDisplayed|version|commander\.help$/.test(code) ? null : message;
  }
}

it.each(PAGES.filter((page) => page !== "CHANGELOG.md"))("the commands of %s", async (page) => {
  const faults: string[] = [];
  const { shown, named } = commandsOf(page);
  for (const line of [...shown, ...named]) {
    const fault = await faultOf(words(line), named.includes(line));
    if (fault) faults.push(`${line}: ${fault}`);
  }
  expect(faults).toEqual([]);
});

it("sees a wrong flag and a wrong command", async () => {
  expect(words("train --set 'a=[1, 2]' > log # so")).toEqual(["train", "--set", "a=[1, 2]"]);
  expect(await faultOf(["train", "--sed", "1"])).toContain("--sed");
  expect(await faultOf(["runs", "shwo", "ab12cd34"])).not.toBeNull();
  expect(await faultOf(["weights", "convert", "a.mod"])).toContain("out");
});
