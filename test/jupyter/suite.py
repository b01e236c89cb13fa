"""The official tests of Jupyter kernels (jupyter-kernel-test) against the kernel of this checkout.

With --count KERNEL against another one, asked in its own language; prints one JSON object.
"""
import json
import os
import sys
import unittest

import jupyter_kernel_test as jkt


# the kernel alone, without the rest of the package, is installed under another name
OWN = os.environ.get("ATMOREP_TEST_KERNEL_NAME", "atmorep")


class AtmorepKernelTests(jkt.KernelTests):
    kernel_name = OWN
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('error text')"
    code_page_something = "jupyter.page('some help')"
    code_generate_error = "throw new Error('broken')"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "'a' + 'b'", "result": "'ab'"},
        {"code": "({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>x</b>' }) })", "mime": "text/html", "result": "<b>x</b>"},
        {"code": "6 * 7", "result": "42"},
        {"code": "6 * 7 // again", "result": "42"},
    ]
    code_display_data = [
        {"code": "await jupyter.html('<b>x</b>')", "mime": "text/html"},
        {"code": "await jupyter.svg('<svg></svg>')", "mime": "image/svg+xml"},
        {"code": "await jupyter.markdown('*x*')", "mime": "text/markdown"},
    ]
    code_history_pattern = "6?*7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Math.ceil"
    code_clear_output = "jupyter.clearOutput()"
    completion_samples = [
        {"text": "Math.cei", "matches": {"ceil"}},
        {"text": "const s = 'x'; s.toUpperC", "matches": {"toUpperCase"}},
        {"text": "conso"},
    ]
    complete_code_samples = ["1", "const a = 3", "function f(x: number) {\n  return x;\n}", "for await (const x of []) {}"]
    incomplete_code_samples = ["function f() {", "[1, 2,", "`begun", "/* begun", "if (true) {\n"]
    invalid_code_samples = ["const = 3", "a b c", "'not closed"]


class AtmorepWelcomeTests(jkt.IopubWelcomeTests):
    kernel_name = OWN
    support_iopub_welcome = True


class TslabKernelTests(AtmorepKernelTests):
    kernel_name = "tslab"
    code_page_something = ""
    code_display_data = [
        {"code": "import * as tslab from 'tslab'; tslab.display.html('<b>x</b>')", "mime": "text/html"},
    ]
    code_execute_result = [{"code": "6 * 7", "result": "42"}, {"code": "6 * 7 // again", "result": "42"}]
    code_clear_output = ""


class DenoKernelTests(AtmorepKernelTests):
    kernel_name = "deno"
    code_page_something = ""
    code_display_data = [
        {"code": "await Deno.jupyter.display(Deno.jupyter.html`<b>x</b>`)", "mime": "text/html"},
        {"code": "await Deno.jupyter.display(Deno.jupyter.svg`<svg></svg>`)", "mime": "image/svg+xml"},
        {"code": "await Deno.jupyter.display(Deno.jupyter.md`*x*`)", "mime": "text/markdown"},
    ]
    # Deno colours its results.
    code_execute_result = [
        {"code": "6 * 7", "result": "\x1b[33m42\x1b[39m"},
        {"code": "6 * 7 // again", "result": "\x1b[33m42\x1b[39m"},
    ]
    code_clear_output = "await Deno.jupyter.broadcast('clear_output', { wait: false })"


class PythonKernelTests(jkt.KernelTests):
    kernel_name = "python3"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('error text', file=sys.stderr)"
    code_page_something = "zip?"
    code_generate_error = "raise ValueError('broken')"
    code_execute_result = [{"code": "6 * 7", "result": "42"}, {"code": "6 * 7 # again", "result": "42"}]
    code_display_data = [
        {"code": "from IPython.display import HTML, display; display(HTML('<b>x</b>'))", "mime": "text/html"},
    ]
    code_history_pattern = "6?*7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"
    completion_samples = [{"text": "zi", "matches": {"zip"}}]
    complete_code_samples = ["1", "print('hello')", "def f(x):\n  return x\n\n"]
    incomplete_code_samples = ["print((1,", "def f(x):\n  x*2"]
    invalid_code_samples = ["import = 7q"]


CASES = {
    "atmorep": AtmorepKernelTests,
    "tslab": TslabKernelTests,
    "deno": DenoKernelTests,
    "python3": PythonKernelTests,
}


def names_of(found):
    """Tests by name; a failed part of a test counts as the test."""
    return sorted({getattr(test, "test_case", test).id().split(".test_")[-1] for test, _ in found})


def count(kernel):
    """Which tests of the suite pass, fail, or were left out since the kernel has nothing to ask for.

    The welcome message has a class of its own; of the kernels here it is asked of the one that claims it.
    """
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromTestCase(CASES[kernel])
    if kernel == "atmorep":
        suite.addTests(loader.loadTestsFromTestCase(AtmorepWelcomeTests))
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stderr).run(suite)
    failed = names_of(result.failures + result.errors)
    skipped = [name for name in names_of(result.skipped) if name not in failed]
    return {"passed": result.testsRun - len(failed) - len(skipped), "failed": failed, "skipped": skipped}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--count"]:
        print(json.dumps(count(sys.argv[2])))
    else:
        unittest.main(verbosity=2, defaultTest=["AtmorepKernelTests", "AtmorepWelcomeTests"])
