"""A statement leaves nothing to the next one but variables, and its error."""

from tests.case import DATA, OfProcess


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
