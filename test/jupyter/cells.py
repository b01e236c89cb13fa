"""Runs many small cells and tells how long the first and the last hundred took.

Usage: cells.py KERNEL COUNT [modules]. With "modules" the type that each cell declares names a module. Prints one JSON object: medians in milliseconds, and the memory of the kernel in MB.
"""
import json
import resource
import statistics
import sys
import time

from jupyter_client.manager import start_new_kernel

kernel, count = sys.argv[1], int(sys.argv[2])
manager, client = start_new_kernel(kernel_name=kernel)
python = kernel == "python3"
modules = sys.argv[3:] == ["modules"]
annotation = ': import("@tensorflow/tfjs-core").Tensor | number' if modules else ""


def run(i):
    code = f"v{i} = {i}\nv{i} + v{max(i - 1, 0)}" if python else f"const v{i}{annotation} = {i};\n[v{i}, v{max(i - 1, 0)}]"
    begin = time.perf_counter()
    reply = client.execute_interactive(code, timeout=60, output_hook=lambda message: None)
    assert reply["content"]["status"] == "ok", reply["content"]
    return (time.perf_counter() - begin) * 1000


run(0)
times = [run(i) for i in range(1, count + 1)]
part = min(100, count // 2)
median = lambda values: round(statistics.median(values), 1)
manager.shutdown_kernel(now=True)
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps({"cells": count, "first": median(times[:part]), "last": median(times[-part:]), "kernelMB": round(memory)}))
