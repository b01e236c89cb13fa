"""Measures a kernel's start (median of three), the latency of small cells and interrupts.

Usage: times.py KERNEL. Prints one JSON object.
"""
import json
import statistics
import sys
import time

from jupyter_client.manager import start_new_kernel

kernel = sys.argv[1]
python = kernel == "python3"
SYNC = "while True: pass" if python else "for (;;) {}"
ASYNC = (
    "import asyncio\nwhile True: await asyncio.sleep(0.01)"
    if python
    else "for (;;) await new Promise((done) => setTimeout(done, 10));"
)
LIMIT = 10

STARTS = 3


def start_kernel():
    begin = time.perf_counter()
    manager, client = start_new_kernel(kernel_name=kernel)
    client.execute_interactive("1", timeout=60, output_hook=lambda message: None)
    return manager, client, time.perf_counter() - begin


starts = []
for i in range(STARTS):
    manager, client, seconds = start_kernel()
    starts.append(seconds)
    if i < STARTS - 1:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(code):
    begin = time.perf_counter()
    reply = client.execute_interactive(code, timeout=LIMIT, output_hook=lambda message: None)
    return reply["content"]["status"], time.perf_counter() - begin


cells = [run(f"{i} + 1")[1] for i in range(20)]
tried = interrupted = 0
slowest = 0.0
try:
    for code in [SYNC, ASYNC, SYNC, ASYNC]:
        tried += 1
        client.execute(code)
        time.sleep(0.7)
        begin = time.perf_counter()
        manager.interrupt_kernel()
        content = client.get_shell_msg(timeout=LIMIT)["content"]
        slowest = max(slowest, time.perf_counter() - begin)
        time.sleep(0.3)
        interrupted += content["status"] == "error" and run("1")[0] == "ok"
except Exception as error:
    print(repr(error), file=sys.stderr)
manager.shutdown_kernel(now=True)
print(
    json.dumps(
        {
            "start": round(statistics.median(starts), 2),
            "cell": round(statistics.median(cells) * 1000),
            "tried": tried,
            "interrupted": interrupted,
            "slowest": round(slowest, 2),
        }
    )
)
