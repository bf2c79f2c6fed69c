"""Streams that the user's code breaks, and processes that share them."""

from tests.case import DATA, OfProcess

BROKEN = (
    "sys.stdout.close()",
    "sys.stdout.detach()",
    "sys.stdout = codecs.getwriter('utf8')(sys.stdout.detach()); sys.stdout = sys.__stdout__",
    "sys.stdout.buffer.close()",
    "sys.stdout.buffer.raw.close()",
    "sys.stdout.buffer.detach()",
    "os.close(1); os.close(2)",
    "os.close(0)",
    "os.close(0); os.close(1); os.close(2)",
    "os.dup2(os.open(os.devnull, os.O_WRONLY), 1); os.dup2(1, 2)",
    "os.dup2(os.open(os.devnull, os.O_RDONLY), 1)",
    "sys.stdout = None; sys.stderr = None; sys.stdin = None",
    "sys.stdout = sys.__stdout__ = sys.stderr = sys.__stderr__ = None",
    "del sys.stdout, sys.stderr, sys.stdin",
    "del sys.__stdout__, sys.__stderr__, sys.__stdin__",
    "sys.stdout = object()",
    "sys.stdout = 5",
    "class S:\n  def write(self, text): raise OSError('full')\nsys.stdout = sys.stderr = S()",
    "class S:\n  def write(self, text): raise SystemExit('full')\nsys.stdout = sys.stderr = S()",
    "class S:\n  def __getattribute__(self, name): raise ValueError(name)\nsys.stdout = sys.stderr = S()",
    "sys.stdout = io.StringIO(); sys.stdout.close()",
    "sys.stdout = io.TextIOWrapper(io.BytesIO()); sys.stdout.detach()",
    "sys.stdout = io.TextIOWrapper(sys.stdout.buffer); del sys.stdout",
    "sys.stdout = open(os.devnull, 'w'); sys.stdout.close()",
    "sys.stdout = open(os.devnull)",
    "sys.stdin.close()",
    "sys.stdin.detach()",
    "sys.stdout.reconfigure(line_buffering=False); print('y', end='')",
)


class Streams(OfProcess):
    def test_each_way_to_break_them(self):
        for code in BROKEN:
            self.process.run("import codecs, io, os, sys\n" + code)
            self.assertEqual(self.printed("print('here')"), "here\n", code)
            self.assertEqual(self.printed("sys.stdout = sys.__stdout__; print('there')"), "there\n", code)
            self.assertEqual(self.process.run("print('err', file=sys.stderr)"), (DATA, "", "err\n"), code)
            self.assertEqual(self.printed("sys.stdin.read()"), "''\n", code)
            self.assertEqual(self.error("input()")["ename"], "EOFError", code)
            self.assertEqual(self.printed("import subprocess; subprocess.call(['cat'])"), "0\n", code)

    def test_a_stream_of_the_users_that_breaks_later(self):
        self.printed("import sys\nclass S:\n  def write(self, text):\n    if text: raise OSError('full')\nsys.stdout = S()")
        self.assertEqual(self.error("print('x')")["ename"], "OSError")

    def test_a_stream_of_the_users_stays(self):
        self.printed("import codecs, io, sys; sys.stdout = own = io.StringIO()")
        self.printed("print('x')")
        self.printed("sys.stdout = sys.__stdout__")
        self.assertEqual(self.printed("own.getvalue()"), "'x\\n'\n")
        self.printed("sys.stdout = codecs.getwriter('utf8')(sys.stdout.buffer)")
        self.assertEqual(self.printed("print('λ')"), "λ\n")

    def test_an_unfinished_line(self):
        for end in ("", "; 1/0", "; sys.exit()", "; raise KeyboardInterrupt"):
            self.assertEqual(self.process.run("import os, sys; print('x', end='')" + end)[1], "x")
            self.assertEqual(self.printed("1"), "1\n")
        self.process.run("os.set_blocking(1, False); sys.stdout.reconfigure(line_buffering=False); print('x' * 200000, end='')")
        self.assertEqual(self.printed("1"), "1\n")


class Processes(OfProcess):
    def test_the_exit_code_of_a_fork(self):
        fork = "import os, sys\npid = os.fork()\nif pid:\n  status = os.waitpid(pid, 0)[1] >> 8\nelse:\n  "
        ends = {"pass": 0, "sys.exit(3)": 3, "sys.exit()": 0, "1/0": 1, "sys.exit('words')": 1, "os._exit(4)": 4}
        for end, status in ends.items():
            self.process.run(fork + end)
            self.assertEqual(self.printed("status"), "{}\n".format(status), end)

    def test_output_of_a_fork_comes_once(self):
        code = "import os\nprint('a', end='')\npid = os.fork()\n_ = pid and os.waitpid(pid, 0)\nprint('b' if pid else 'c', end='')"
        self.assertEqual(self.printed(code), "acb")

    def test_multiprocessing(self):
        code = "import multiprocessing\ndef f(x):\n  print('in', x, flush=True)\n  return x * x\n"
        code += "with multiprocessing.get_context('fork').Pool(1) as pool:\n  found = pool.map(f, [1, 2])\nfound"
        self.assertEqual(self.printed(code), "in 1\nin 2\n[1, 4]\n")
