import signal
import unittest

from tests.process import Process

DATA = {"data": {}, "notes": []}


class WholeProcess(unittest.TestCase):
    def setUp(self):
        self.process = Process()
        self.addCleanup(self.process.close)

    def printed(self, code):
        reply, output, errors = self.process.run(code)
        self.assertEqual((reply, errors), (DATA, ""))
        return output

    def test_output_of_all_kinds_keeps_its_order(self):
        code = "import os, subprocess, sys\nprint('a'); os.system('echo b'); print('c'); _ = subprocess.run(['echo', 'd']); 5"
        self.assertEqual(self.printed(code), "a\nb\nc\nd\n5\n")

    def test_streams_are_apart(self):
        self.assertEqual(self.process.run("import sys; print(1); print(2, file=sys.stderr)"), (DATA, "1\n", "2\n"))

    def test_warnings_of_spark_are_no_output(self):
        code = (
            "import warnings\nfor place in ('/x/pyspark/sql/a.py', '/x/mine.py'):\n"
            "    warnings.warn_explicit('careful', UserWarning, place, 1)"
        )
        reply, output, errors = self.process.run(code)
        self.assertEqual((reply["notes"], output), (["UserWarning: careful"], ""))
        self.assertIn("/x/mine.py:1: UserWarning: careful", errors)
        self.assertEqual(errors.count("careful"), 1)

    def test_a_line_that_does_not_end(self):
        self.assertEqual(self.printed("print('x', end='')"), "x")

    def test_input_is_empty(self):
        self.assertEqual(self.process.run("input()")[0]["error"]["ename"], "EOFError")

    def test_streams_that_were_closed_come_back(self):
        for code in ("import sys; sys.stdout.close()", "import os; os.close(1)", "os.dup2(os.open(os.devnull, os.O_WRONLY), 1)"):
            self.process.run(code)
            self.assertEqual(self.printed("print('here')"), "here\n")

    def test_a_stream_that_does_not_block(self):
        self.assertEqual(self.printed("import os; os.set_blocking(1, False)"), "")
        self.assertEqual(len(self.printed("print('x' * 1000000)")), 1000001)

    def test_text_that_is_no_text(self):
        self.assertEqual(self.printed("'\\udcff'"), "'\\udcff'\n")

    def test_a_forked_process_does_not_answer(self):
        code = "import os\npid = os.fork()\nif pid: _ = os.waitpid(pid, 0)\nprint('child' if pid == 0 else 'parent')"
        self.assertEqual(self.printed(code), "child\nparent\n")
        self.assertEqual(self.printed("1"), "1\n")

    def test_an_interrupt_stops_the_code_and_no_more(self):
        for code in ("while True: pass", "import time; time.sleep(30)"):
            reply, _, _ = self.process.run(code, interrupt_after=0.3)
            self.assertEqual(reply["error"]["ename"], "KeyboardInterrupt")
            self.assertNotIn("livius_shell", "".join(reply["error"]["traceback"]))
        self.assertEqual(self.printed("1"), "1\n")

    def test_a_late_interrupt_does_nothing(self):
        self.process.child.send_signal(signal.SIGINT)
        self.assertEqual(self.printed("1"), "1\n")

    def test_completion(self):
        self.printed("alpha = 'x'")
        self.assertEqual(self.process.complete("alpha.upp"), ["upper"])

    def test_results_that_are_too_large(self):
        self.assertEqual(self.process.run("%json 'x' * 2000000")[0]["error"]["ename"], "OutputTooLarge")
        self.assertEqual(self.printed("1"), "1\n")

    def test_it_leaves_in_good_order(self):
        self.printed("import atexit; atexit.register(print, 'bye', flush=True); None")
        self.process.hang_up()
        self.assertEqual(self.process.output.rest(), b"bye\n")

    def test_it_leaves_even_when_code_runs(self):
        self.process.begin("while True: pass")
        self.process.hang_up()
        self.assertLess(self.process.child.wait(timeout=10), 0)
