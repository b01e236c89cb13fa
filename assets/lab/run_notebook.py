"""Runs a notebook through Jupyter and prints what its cells show: `atmorep run FILE.ipynb`.

Usage: run_notebook.py FILE [--inplace | --output FILE] [--timeout SECONDS]. Exits with 1 if a cell fails, also when an error comes
after its cell was done.
"""
import argparse
import os
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

KERNEL = "atmorep"


def show(cell):
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            stream = sys.stderr if output.name == "stderr" else sys.stdout
            stream.write(output.text)
        elif output.output_type == "error":
            sys.stderr.write("\n".join(output.traceback) + "\n")
        else:
            text = output.data.get("text/plain")
            if text is not None:
                sys.stdout.write(text + "\n")
    sys.stdout.flush()
    sys.stderr.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--inplace", action="store_true")
    parser.add_argument("--output", help="write the notebook with its outputs here")
    parser.add_argument("--timeout", type=int)
    args = parser.parse_args()
    notebook = nbformat.read(args.file, as_version=4)
    folder = os.path.dirname(os.path.abspath(args.file))
    client = NotebookClient(
        notebook,
        kernel_name=KERNEL,
        timeout=args.timeout,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": folder}},
        on_cell_executed=lambda cell, cell_index, execute_reply: show(cell),
    )
    failed = False
    with client.setup_kernel():
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
            # An error that came after the last cell was done fails this one.
            last = nbformat.v4.new_code_cell("await new Promise<void>((done) => setTimeout(done, 50));")
            notebook.cells.append(last)
            try:
                client.execute_cell(last, len(notebook.cells) - 1, store_history=False)
            finally:
                notebook.cells.pop()
        except CellExecutionError as error:
            failed = True
            if not any(cell.get("outputs") and cell.outputs[-1].output_type == "error" for cell in notebook.cells):
                sys.stderr.write(str(error) + "\n")
    output = args.file if args.inplace else args.output
    if output:
        nbformat.write(notebook, output)
    return 1 if failed else 0


sys.exit(main())
