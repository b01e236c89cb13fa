"""The official tests of Jupyter kernels (jupyter-kernel-test) against the kernel of this checkout."""
import unittest

import jupyter_kernel_test as jkt


class AtmorepKernelTests(jkt.KernelTests):
    kernel_name = "atmorep"
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
    kernel_name = "atmorep"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
