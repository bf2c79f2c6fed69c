"""Tracebacks, logs and debuggers show the same name and the code's lines."""

from tests.case import OfProcess


class FileNames(OfProcess):
    def test_all_show_the_same_name_with_the_line(self):
        self.printed("1")
        self.printed("def f():\n  return 1 / 0\n")
        frame = 'File "<stdin>", line 2, in f\n    return 1 / 0\n'
        for code in (
            "f()",
            "import logging\ntry: f()\nexcept Exception: logging.exception('x')",
            "import traceback\ntry: f()\nexcept Exception: traceback.print_exc()",
            "try: f()\nexcept Exception: print(traceback.format_exc())",
            "try: f()\nexcept Exception as error: traceback.print_exception(type(error), error, error.__traceback__)",
        ):
            reply, output, errors = self.process.run(code)
            shown = output + errors + "".join(reply.get("error", {"traceback": []})["traceback"])
            self.assertIn(frame, shown, code)
            self.assertNotIn("<stdin-", shown)
        self.assertEqual(self.printed("import inspect; print(inspect.getsource(f), end='')"), "def f():\n  return 1 / 0\n")
        warning = self.process.run("import warnings\ndef g(): warnings.warn('careful')\ng()")[2]
        self.assertEqual(warning, "<stdin>:2: UserWarning: careful\n  def g(): warnings.warn('careful')\n")
        debugged = self.process.run("import pdb\ndef h():\n  pdb.set_trace()\n  return 2\nh()")[1]
        self.assertIn("> <stdin>(", debugged)
        self.assertIn("-> ", debugged)
        self.assertEqual(self.printed("f.__code__.co_filename"), "'<stdin>'\n")
        threaded = self.process.run("import threading; t = threading.Thread(target=f); t.start(); t.join()")[2]
        self.assertIn(frame, threaded)
