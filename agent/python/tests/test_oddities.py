"""Code that could break the shell."""

import sys

from tests.case import DATA, OfProcess


class Oddities(OfProcess):
    def test_the_session_goes_on(self):
        self.printed("kept = 1")
        for code in (
            "import sys, threading\nt = threading.Thread(target=sys.exit); t.start(); t.join()",
            "del __builtins__",
            "__name__ = 'other'",
            "import livius_shell; livius_shell = None",
            "class Runner: pass\nclass _Shell: pass\nclass Channel: pass",
            "import gc; gc.freeze()",
            "import faulthandler; faulthandler.disable()",
            "exec('a\\0b')",
            "import asyncio; asyncio.run(asyncio.sleep(0))",
            "import atexit; atexit._run_exitfuncs()",
            "import os; os.setpgid(0, 0)",
            "import os; os.chdir('/'); os.environ.clear()",
            "raise BaseException('x')",
            "raise GeneratorExit",
            "import sys; sys.path = None",
            "import sys; sys.excepthook = None",
            "import os\nfor fd in range(3, 100):\n  try: os.close(fd)\n  except OSError: pass",
            "[] * (1 << 62) if False else bytearray(1 << 62)",
        ):
            self.process.run(code)
            self.assertEqual(self.process.run("print(kept)")[:2], (DATA, "1\n"), code)

    def test_texts_of_all_sorts(self):
        deep = 5000
        for code, outcome in (
            ("\ufeffx = 1", None),
            ("x = 1\r\nif x:\r\n  x = 2\r\n", None),
            ("\fx = 1\n\f\nx = 2", None),
            ("# -*- coding: latin-1 -*-\nx = 'é'; assert len(x) == 1", None),
            ("x = 1\0", ("ValueError", "SyntaxError")),
            ("(" * deep + ")" * deep, ("SyntaxError", "MemoryError", "RecursionError")),
            ("-" * 100000 + "1", ("SyntaxError", "MemoryError", "RecursionError")),
            ("1" + "+1" * (100000 if sys.version_info >= (3, 9) else 100), ("MemoryError", "RecursionError", None)),
            ("x = 5" + "0" * 5000, ("SyntaxError", None)),
            ("x = '\ud800'", ("SyntaxError", "UnicodeEncodeError", None)),
            ("if 1:\n\tx = 1\n        y = 1", ("TabError",)),
            ("  x = 1", ("IndentationError",)),
            ("x = {}".format("1," * 300000), None),
        ):
            reply, _, _ = self.process.run(code)
            error = reply.get("error", {"ename": None})
            self.assertIn(error["ename"], outcome or (None,), (code[:50], error))
            self.assertEqual(self.printed("1"), "1\n")

    def test_lines_of_a_text_with_other_line_ends(self):
        error = self.error("x = '\u2028'\n\f\n'''\x0b'''\ndef f():\n  return 1 / 0\nf()")
        self.assertIn('line 5, in f\n    return 1 / 0\n', "".join(error["traceback"]))
