/** Comms as Jupyter's own client sees them: the same messages, with the same fields, as from ipykernel. */
import { spawnSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { expect, it } from "vitest";

const python = process.env.ATMOREP_TEST_PYTHON ?? "";

interface Seen {
  type: string;
  content: Record<string, unknown>;
  bytes?: number[][];
}

function saidBy(kernel: string): Seen[] {
  const path = `${dirname(process.execPath)}:${dirname(python)}:${process.env.PATH}`;
  const env = { ...process.env, JUPYTER_PATH: resolve("assets/kernelspec"), PATH: path };
  const { stdout, stderr } = spawnSync(python, ["test/jupyter/comms.py", kernel], { env, encoding: "utf8" });
  const line = stdout.trim().split("\n").at(-1) ?? "";
  expect(line, stderr).toMatch(/^\[/);
  // ipykernel also writes a line of what it does not know
  return (JSON.parse(line) as Seen[]).filter(({ type }) => type !== "stream");
}

it("sends what ipykernel sends: openings, messages with bytes, answers, closings, and which are open", () => {
  const own = saidBy("atmorep");
  expect(own.map(({ type }) => type).filter((type) => type !== "status")).toEqual([
    "comm_open",
    ...["comm_info_reply", "comm_info_reply", "comm_info_reply"],
    "comm_msg",
    "comm_msg",
    "comm_info_reply",
    "comm_msg",
    "comm_close",
    "comm_info_reply",
    "comm_msg",
    "comm_close",
    "comm_info_reply",
  ]);
  expect(own.filter(({ type }) => type === "comm_msg")[0].bytes).toEqual([[5, 6], [9]]);
  expect(own).toEqual(saidBy("python3"));
});
