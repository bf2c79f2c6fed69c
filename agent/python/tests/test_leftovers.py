"""A statement leaves nothing to the next one but variables, and its error."""

import sys

from tests.case import DATA, OfProcess

# In some releases of 3.12 and 3.13 print_last() finds no error, even in the interactive Python.
PRINT_LAST = "traceback.print_last()" if sys.version_info < (3, 12) else "traceback.print_exception(sys.last_exc)"


class Leftovers(OfProcess):
    PLOT = (
        "import sys, types\nclass Plot(types.ModuleType):\n"
        "  open = 0\n"
        "  def get_fignums(self): return [1] * self.open\n"
        "  def close(self, which): self.open = 0\n"
        "  def gcf(self): return self\n"
        "  def savefig(self, file, format): file.write(b'picture')\n"
        "sys.modules['matplotlib.pyplot'] = plot = Plot('matplotlib.pyplot')\n"
        "import warnings\n"
        "def leave():\n"
        "  plot.open = 1\n"
        "  warnings.warn_explicit('careful', UserWarning, '/x/pyspark/a.py', 1, registry={})\n"
        "  print('x', end='')\n"
    )

    def test_each_leftover_with_each_end(self):
        self.printed(self.PLOT)
        for end, interrupt in (
            ("", None),
            ("1/0", None),
            ("sys.exit(1)", None),
            ("%json 1", None),
            ("%json nowhere", None),
            ("%nosuch", None),
            ("%table [[1], ['a']]", None),
            ("%json 'x' * 2000000", None),
            ("class R:\n  def __repr__(self): 1/0\nR()", None),
            ("while True: pass", 0.3),
            ("import time\ntry: time.sleep(30)\nfinally: leave()", 0.3),
            ("import asyncio\nawait asyncio.sleep(30)", 0.3),
        ):
            reply, output, _ = self.process.run("leave()\n" + end, interrupt_after=interrupt)
            self.assertIn(output, ("x", "xx"), end)
            self.assertEqual("picture" if "image/png" in reply.get("data", {}) else "", "" if end else "picture", end)
            self.assertEqual(self.process.run("2"), (DATA, "2\n", ""), end)

    def test_a_text_that_does_not_compile_leaves_nothing(self):
        self.printed(self.PLOT)
        self.process.run("leave()\n%json 1\nx = = 2")
        self.assertEqual(self.process.run("2"), (DATA, "2\n", ""))

    def test_the_clean_up_of_code_that_waits_is_its_own(self):
        code = "import asyncio\nasync def f():\n  try: await asyncio.sleep(30)\n  finally: print('cleaned')\nawait f()"
        self.assertEqual(self.process.run(code, interrupt_after=0.3)[1], "cleaned\n")
        self.assertEqual(self.printed("await asyncio.sleep(0, 1)"), "1\n")


class LastError(OfProcess):
    def test_it_is_known_after_each_sort_of_error(self):
        self.printed("import sys, traceback")
        for code, name in (
            ("def f():\n  1/0\nf()", "ZeroDivisionError"),
            ("x = = 1", "SyntaxError"),
            ("%json nowhere", "NameError"),
            ("%nosuch", "UnknownMagic"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ):
            self.process.run(code)
            self.assertEqual(self.printed("sys.last_type.__name__, type(sys.last_value).__name__"), "{!r}\n".format((name, name)))
            self.assertEqual(self.printed("getattr(sys, 'last_exc', sys.last_value) is sys.last_value"), "True\n")
            shown = self.process.run(PRINT_LAST)[2]
            self.assertIn(name, shown)
            self.assertNotIn("livius_shell", shown)
            if name == "SyntaxError":
                self.assertIn('File "<stdin>", line 1\n    x = = 1\n', shown)
            self.process.run("sys.exit()")
            self.assertEqual(self.printed("sys.last_type.__name__"), "{!r}\n".format(name))
        self.process.run("while True: pass", interrupt_after=0.3)
        self.assertEqual(self.printed("sys.last_type.__name__"), "'KeyboardInterrupt'\n")

    def test_the_debugger_knows_it(self):
        self.process.run("def f():\n  1/0\nf()")
        _, output, _ = self.process.run("import pdb; pdb.pm()")
        self.assertIn("> <stdin>(2)f()\n-> 1/0\n", output)


class Rehearsal(OfProcess):
    def test_it_runs_as_a_statement_and_leaves_nothing(self):
        code = (
            "import warnings\nx = 1\ndef f(): return x\n"
            "warnings.warn_explicit('careful', UserWarning, '/x/pyspark/a.py', 1)\nprint(f())"
        )
        self.assertEqual(self.process.rehearse(code)[1], "begins\n1\n")
        names = "sorted(n for n in globals() if not n.startswith('__'))"
        self.assertEqual(self.printed(names), "[]\n")
        self.assertEqual(self.printed("import linecache; [n for n in linecache.cache if 'rehearsal' in n]"), "[]\n")

    def test_its_error_is_told(self):
        reply, _ = self.process.rehearse("1 / 0")
        self.assertEqual(reply["error"]["ename"], "ZeroDivisionError")
        self.assertEqual(self.printed("1"), "1\n")
