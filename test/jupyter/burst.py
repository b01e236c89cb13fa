"""Prints lines from one cell through nbclient and checks that all arrive in order.

Usage: burst.py KERNEL LINES. Prints one JSON object: seconds, whether the text is complete, memory of the kernel in MB.
"""
import json
import resource
import sys
import time

import nbformat
from nbclient import NotebookClient

kernel, lines = sys.argv[1], int(sys.argv[2])
code = f"for i in range({lines}): print(i)" if kernel == "python3" else f"for (let i = 0; i < {lines}; i++) console.log(i);"
warm = nbformat.v4.new_code_cell("1")
cell = nbformat.v4.new_code_cell(code)
notebook = nbformat.v4.new_notebook(cells=[warm, cell])
client = NotebookClient(notebook, kernel_name=kernel, timeout=None)
with client.setup_kernel():
    client.execute_cell(warm, 0)
    begin = time.perf_counter()
    client.execute_cell(cell, 1)
    seconds = time.perf_counter() - begin
text = "".join(output.get("text", "") for output in cell.outputs)
expected = "".join(f"{i}\n" for i in range(lines))
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
delivered = text.count("\n")
print(json.dumps({"seconds": round(seconds, 2), "complete": text == expected, "delivered": delivered, "kernelMB": round(memory)}))
