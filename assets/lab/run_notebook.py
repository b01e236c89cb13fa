"""Runs a notebook through Jupyter and prints what its cells show: `atmorep run FILE.ipynb`.

Usage: run_notebook.py FILE [--inplace | --output FILE] [--timeout SECONDS]. Exits with 1 if a cell fails, also when an error comes
after its cell was done, with 2 for what is no notebook, and with 130 after Ctrl-C. A file is written whole or not at all.
"""
import argparse
import errno
import json
import logging
import os
import signal
import sys
import warnings

KERNEL = "atmorep"
INTERRUPTED = 130
STOPPED = "SIGINT: stopped; no file was written. Give the command again to begin anew"


def stop_at_once(*_):
    os.write(2, f"{STOPPED}\n".encode())
    os._exit(INTERRUPTED)


# Jupyter's packages take a second to load, in which there is no kernel to be ended yet.
signal.signal(signal.SIGINT, stop_at_once)

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbclient.exceptions import CellExecutionError  # noqa: E402
from traitlets.log import get_logger  # noqa: E402


def say(text):
    """A message on one line, its control characters written out."""
    line = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text[:2000])
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def found(error):
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full (ENOSPC)"
    if isinstance(error, OSError) and error.errno in errno.errorcode:
        return f"{error.strerror} ({errno.errorcode[error.errno]})"
    return f"{type(error).__name__}: {error}"


class Output:
    """Standard output: on a full disk the notebook goes on, and the end says so."""

    failed = False

    def write(self, text):
        if self.failed:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            if error.errno != errno.EPIPE:
                say(f"error: standard output: it cannot be written; found {found(error)}. Make room or write elsewhere")
                self.failed = True
            # What is still in Python's buffer would fail once more at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(cell, output):
    for part in cell.get("outputs", []):
        if part.output_type == "stream":
            if part.name == "stderr":
                sys.stderr.write(part.text)
            else:
                output.write(part.text)
        elif part.output_type == "error":
            sys.stderr.write("\n".join(part.traceback) + "\n")
        else:
            text = part.data.get("text/plain")
            if text is not None:
                output.write(text + "\n")
    sys.stderr.flush()


def save(notebook, path):
    """Beside the file first, then in its place."""
    path = os.path.realpath(path)
    aside = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.tmp-{os.getpid()}")
    try:
        with open(aside, "w", encoding="utf8") as file:
            nbformat.write(notebook, file)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            os.chmod(aside, os.stat(path).st_mode & 0o7777)
        os.replace(aside, path)
    except BaseException:
        if os.path.exists(aside):
            os.remove(aside)
        raise


def execute(notebook, client):
    """@returns whether a cell failed"""
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
        if not any(cell.get("outputs") and cell.outputs[-1].output_type == "error" for cell in notebook.cells):
            sys.stderr.write(str(error) + "\n")
        return True
    return False


def read(path):
    """@raises ValueError for what is no notebook"""
    # what Jupyter has to say of it before it fails is not for who runs it
    log = get_logger()
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.read(path, as_version=4)
        cells = notebook.cells
        sound = isinstance(cells, list) and all(isinstance(c, dict) and isinstance(c.get("source"), str) and c.get("cell_type") for c in cells)
    except Exception as error:
        raise ValueError(found(error)) from error
    finally:
        log.setLevel(level)
    if not sound:
        raise ValueError("cells without a source or a kind")
    return notebook


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--inplace", action="store_true")
    parser.add_argument("--output", help="write the notebook with its outputs here")
    parser.add_argument("--timeout", type=int)
    args = parser.parse_args()
    try:
        notebook = read(args.file)
    except ValueError as error:
        say(f"error: {args.file}: not a notebook that Jupyter can read; found {error}. Open it in JupyterLab and save it again")
        return 2
    folder = os.path.dirname(os.path.abspath(args.file))
    output = Output()
    client = NotebookClient(
        notebook,
        kernel_name=KERNEL,
        timeout=args.timeout,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": folder}},
        on_cell_executed=lambda cell, cell_index, execute_reply: show(cell, output),
    )
    try:
        with client.setup_kernel():
            failed = execute(notebook, client)
    except Exception as error:
        say(f"error: {args.file}: the notebook cannot be run; found {found(error)}")
        return 1
    target = args.file if args.inplace else args.output
    if target:
        try:
            save(notebook, target)
        except Exception as error:
            say(f"error: {target}: the notebook cannot be written; found {found(error)}. Make room, then run it again; the file is as it was")
            return 1
    return 1 if failed or output.failed else 0


def interruptible():
    """Ctrl-C ends the kernel first; whoever presses it again does not wait for that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return main()
    except KeyboardInterrupt:
        say(STOPPED)
        return INTERRUPTED


sys.exit(interruptible())
