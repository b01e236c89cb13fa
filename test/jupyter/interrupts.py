"""Interrupts cells of every kind in turn, and looks whether the next cell works and what a training leaves.

Usage: interrupts.py COUNT FOLDER. The kernel works in FOLDER. Prints one JSON object: how many interrupts were tried and
obeyed, the slowest in seconds, for each kind of cell; runs that say they were interrupted; the step that one goes on to.
"""
import json
import sys
import time

from jupyter_client.manager import start_new_kernel

count, folder = int(sys.argv[1]), sys.argv[2]
SETUP = """
import * as atmorep from "atmorep";
import * as nb from "atmorep/notebook";
const { config } = atmorep.resolveConfig({ preset: "storm", seed: 1 });
const first = (event: atmorep.TrainEvent) => { if (event.type === "step" && event.step === 1) console.log("go"); };
"""
KINDS = {
    "synchronous loop": 'console.log("go"); for (;;) {}',
    "asynchronous loop": 'console.log("go"); for (;;) await new Promise((done) => setTimeout(done, 10));',
    "timer": 'console.log("go"); await new Promise((done) => setTimeout(done, 1e8));',
    "training": 'for await (const event of atmorep.train(config, { out: "runs" })) first(event);',
    "one-call training": 'await nb.train(config, { out: "runs", onEvent: first });',
}
GO_ON = """
const runs = (await atmorep.listRuns("runs")).filter(({ status }) => status === "interrupted");
const [last] = runs.slice(-1);
let step = 0;
if (last !== undefined) {
  const options = { out: "runs", continue: last.id, inPlace: true, maxSteps: last.steps + 2 };
  for await (const event of atmorep.train(config, options)) if (event.type === "finished") step = event.step - last.steps;
}
console.log(JSON.stringify({ interruptedRuns: runs.length, goesOnBy: step }));
"""
LIMIT = 60

manager, client = start_new_kernel(kernel_name="atmorep", cwd=folder)


def run(code):
    """Reply and printed text of a cell that ends by itself."""
    text = []
    hook = lambda m: text.append(m["content"]["text"]) if m["msg_type"] == "stream" else None
    reply = client.execute_interactive(code, timeout=LIMIT, output_hook=hook, store_history=True)
    return reply["content"], "".join(text)


def interrupted(code):
    """Reply of a cell that was interrupted once it had printed, and the seconds that took."""
    request = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=LIMIT)
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "error":
            raise RuntimeError("\n".join(message["content"]["traceback"]))
        if message["msg_type"] == "stream" and "go" in message["content"]["text"]:
            break
    begin = time.perf_counter()
    manager.interrupt_kernel()
    content = client.get_shell_msg(timeout=LIMIT)["content"]
    return content, time.perf_counter() - begin


result = {name: {"tried": 0, "obeyed": 0, "slowest": 0.0} for name in KINDS}
try:
    content, _ = run(SETUP)
    assert content["status"] == "ok", content
    names = list(KINDS)
    for i in range(count):
        name = names[i % len(names)]
        entry = result[name]
        entry["tried"] += 1
        content, seconds = interrupted(KINDS[name])
        entry["slowest"] = round(max(entry["slowest"], seconds), 2)
        following, _ = run("1 + 1")
        entry["obeyed"] += content.get("ename") == "Interrupted" and following["status"] == "ok"
    content, text = run(GO_ON)
    result["left"] = json.loads(text) if content["status"] == "ok" else content
finally:
    manager.shutdown_kernel(now=True)
print(json.dumps(result))
