import contextlib
import functools
import os
import pickle
import signal
import sys
import tempfile
import threading
import types
import unittest
from unittest import mock

from livius_shell import pickles
from livius_shell.job_context import MOST_SHARED_OBJECTS, JobContext
from livius_shell.streams import LineLog
from livius_shell.text import shortened
from tests.process import Process

# For jobs that wait for each other, for statements or for the test: all in the child, where this module is imported too.
PATIENCE_SECONDS = 20
pair = threading.Barrier(2)
running, printed = threading.Event(), threading.Event()


def give(value, context):
    return value


def divide(context):
    return 1 / 0


def leave(context):
    sys.exit(3)


def lock(context):
    return threading.Lock()


def meet(context):
    return pair.wait(PATIENCE_SECONDS)


def spin(context):
    print("spinning")
    while True:
        pass


def spin_stubbornly(context):
    try:
        spin(context)
    except KeyboardInterrupt:
        print("again")
        spin(context)


def wait_for_statement(context):
    print("waiting")
    return running.wait(PATIENCE_SECONDS)


def print_beside_statement(context):
    running.wait(PATIENCE_SECONDS)
    print("out")
    print("err", file=sys.stderr)
    sys.stdout.buffer.write(b"bytes\n")
    print("no end", end="")
    printed.set()


def fork(context):
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    print("back")
    return "parent" if pid else "child"


def share(context):
    context.set_shared_object("x", 5)


def take(context):
    return context.get_shared_object("x")


def import_added(context):
    import added_by_the_test

    return added_by_the_test.VALUE


class JobsOfProcess(unittest.TestCase):
    def setUp(self):
        self.process = Process()
        self.addCleanup(self.process.close)

    def answer(self, job, function):
        self.process.submit(job, pickle.dumps(function))
        return self.done(job)

    def done(self, job):
        number, body = self.process.done()
        self.assertEqual(number, job)
        return body

    def result(self, job, function):
        body = self.answer(job, function)
        self.assertIsInstance(body, bytes, body)
        return pickle.loads(body)

    def error(self, job, function):
        body = self.answer(job, function)
        self.assertIsInstance(body, str)
        self.assertTrue(body.startswith("Client job error:\n"), body)
        self.assertNotIn("livius_shell", body)
        return body

    def test_results(self):
        self.assertEqual(self.result(1, functools.partial(give, {"a": [1, None]})), {"a": [1, None]})
        self.assertIsNone(self.result(2, functools.partial(give, None)))

    def test_results_can_be_read_by_any_python_3(self):
        self.assertEqual(self.answer(1, functools.partial(give, 1))[:2], b"\x80\x04")

    def test_large_results(self):
        value = os.urandom(700000)
        self.assertEqual(self.result(1, functools.partial(give, value)), value)
        self.assertIn("a job's may have 1048576", self.error(2, functools.partial(give, 2 * value)))

    def test_failures(self):
        error = self.error(1, divide)
        self.assertIn("Traceback (most recent call last):\n", error)
        self.assertIn("in divide\n", error)
        self.assertTrue(error.endswith("ZeroDivisionError: division by zero\n"))
        self.assertIn("SystemExit: 3", self.error(2, leave))
        self.assertIn("cannot pickle", self.error(3, lock))
        self.assertIn("'dict' object is not callable", self.error(4, {}))
        self.assertEqual(self.result(5, functools.partial(give, 1)), 1)

    def test_what_is_no_pickle(self):
        for job, payload in enumerate((b"", b"garbage", b"cnowhere\nx\n.")):
            self.process.submit(job, payload)
            self.assertIn("cannot be unpickled by this session's Python", self.done(job))

    def test_two_at_once(self):
        for job in (1, 2):
            self.process.submit(job, pickle.dumps(meet))
        done = [self.process.done() for _ in range(2)]
        self.assertEqual({number for number, _ in done}, {1, 2})
        self.assertEqual({pickle.loads(body) for _, body in done}, {0, 1})

    def test_a_cancelled_job_ends_and_no_other(self):
        self.process.submit(1, pickle.dumps(wait_for_statement))
        self.process.submit(2, pickle.dumps(spin))
        self.assertEqual({self.process.logged() for _ in range(2)}, {"job 1: waiting", "job 2: spinning"})
        self.process.cancel(2)
        self.assertTrue(self.done(2).endswith("KeyboardInterrupt\n"))
        self.assertEqual(self.process.run("import tests.test_jobs as t; t.running.set()")[1], "")
        self.assertTrue(pickle.loads(self.done(1)))

    def test_an_interrupt_that_is_caught_comes_again(self):
        self.process.submit(1, pickle.dumps(spin_stubbornly))
        self.process.logged()
        self.process.cancel(1)
        self.assertEqual([self.process.logged() for _ in range(2)], ["job 1: again", "job 1: spinning"])
        self.assertTrue(self.done(1).endswith("KeyboardInterrupt\n"))

    def test_a_cancel_of_nothing_does_nothing(self):
        self.process.cancel(1)
        self.assertEqual(self.result(1, functools.partial(give, 1)), 1)
        self.process.cancel(1)
        self.assertEqual(self.result(2, functools.partial(give, 2)), 2)

    def test_a_statements_interrupt_is_its_own(self):
        self.process.submit(1, pickle.dumps(wait_for_statement))
        self.process.logged()
        reply, _, _ = self.process.run("while True: pass", interrupt_after=0.3)
        self.assertEqual(reply["error"]["ename"], "KeyboardInterrupt")
        self.process.run("import tests.test_jobs as t; t.running.set()")
        self.assertTrue(pickle.loads(self.done(1)))

    def test_prints_are_no_output_of_a_statement(self):
        self.process.submit(1, pickle.dumps(print_beside_statement))
        code = "import tests.test_jobs as t\nprint('a')\nt.running.set()\nok = t.printed.wait(20)\nprint('b')\nok"
        self.assertEqual(self.process.run(code)[1:], ("a\nb\nTrue\n", ""))
        expected = ["job 1: out", "job 1: err", "job 1: bytes", "job 1: no end"]
        self.assertEqual([self.process.logged() for _ in expected], expected)
        self.assertIsNone(pickle.loads(self.done(1)))

    def test_a_statement_may_put_a_stream_of_its_own(self):
        code = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as own:\n    print('x')\nown.getvalue()"
        self.assertEqual(self.process.run(code)[1], "'x\\n'\n")

    def test_a_forked_process_does_not_answer(self):
        self.process.submit(1, pickle.dumps(fork))
        self.assertEqual(self.process.logged(), "job 1: back")
        self.assertEqual(pickle.loads(self.done(1)), "parent")
        self.assertEqual(self.result(2, functools.partial(give, 2)), 2)

    def test_jobs_share_objects(self):
        self.assertIsNone(self.result(1, share))
        self.assertEqual(self.result(2, take), 5)

    def test_libraries(self):
        self.assertIn("ModuleNotFoundError", self.error(1, import_added))
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "added_by_the_test.py"), "w") as module:
                module.write("VALUE = 7\n")
            self.assertEqual(self.process.add_library(folder), {"added": folder, "error": None})
            self.assertEqual(self.result(2, import_added), 7)
            self.assertIn("FileNotFoundError", self.process.add_library(folder + "/none")["error"])

    def test_it_leaves_even_when_a_job_runs(self):
        self.process.submit(1, pickle.dumps(spin))
        self.process.logged()
        self.process.hang_up()
        self.assertEqual(self.process.child.wait(timeout=10), -signal.SIGKILL)


class Context(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.streaming = mock.Mock()
        spark = types.SimpleNamespace(
            context="sc", session="spark", sql_context="sql", streaming_context=lambda seconds: self.streaming
        )
        self.context = JobContext(spark, os.path.join(folder.name, "jobs"))

    def test_what_is_there(self):
        self.assertEqual((self.context.sc, self.context.spark_session, self.context.sql_ctx), ("sc", "spark", "sql"))
        self.assertTrue(os.path.isdir(self.context.local_tmp_dir_path))

    def test_the_streaming_context(self):
        with self.assertRaisesRegex(ValueError, "create_streaming_ctx first"):
            _ = self.context.streaming_ctx
        with self.assertRaises(ValueError):
            self.context.stop_streaming_ctx()
        self.context.create_streaming_ctx(1)
        self.assertIs(self.context.streaming_ctx, self.streaming)
        with self.assertRaisesRegex(ValueError, "already"):
            self.context.create_streaming_ctx(1)
        self.context.stop_streaming_ctx()
        self.streaming.stop.assert_called_once_with(stopSparkContext=False)
        self.context.create_streaming_ctx(1)

    def test_shared_objects(self):
        for number in range(MOST_SHARED_OBJECTS):
            self.context.set_shared_object(number, number)
        self.assertEqual(self.context.get_shared_object(0), 0)
        self.context.set_shared_object("one more", 1)
        self.assertEqual([self.context.get_shared_object(name) for name in (0, 1, "one more")], [0, None, 1])
        self.context.remove_shared_object(0)
        self.context.remove_shared_object(0)
        self.assertIsNone(self.context.get_shared_object(0))


class Parts(unittest.TestCase):
    def test_cloudpickle_is_found_in_pyspark(self):
        modules = {name: types.ModuleType(name) for name in ("pyspark", "pyspark.cloudpickle", "pyspark.cloudpickle.cloudpickle")}
        modules["pyspark.cloudpickle.cloudpickle"].thing = "found"
        with mock.patch.dict(sys.modules, dict(modules, cloudpickle=None)):
            self.assertEqual(pickles.load(b"ccloudpickle.cloudpickle\nthing\n."), "found")

    def test_other_versions_of_cloudpickle(self):
        fast = types.ModuleType("cloudpickle.cloudpickle_fast")
        fast.thing = "found"
        modules = {name: types.ModuleType(name) for name in ("cloudpickle", "cloudpickle.cloudpickle")}
        with mock.patch.dict(sys.modules, dict(modules, **{"cloudpickle.cloudpickle_fast": fast})):
            self.assertEqual(pickles.load(b"ccloudpickle.cloudpickle\nthing\n."), "found")
            with self.assertRaises(pickles.UnreadableJob) as raised:
                pickles.load(b"ccloudpickle.cloudpickle\nother\n.")
        self.assertIn("has 'other'", str(raised.exception.__cause__))

    def test_the_users_own_cloudpickle_comes_first(self):
        own = types.ModuleType("cloudpickle")
        own.thing = "own"
        with mock.patch.dict(sys.modules, {"cloudpickle": own}):
            self.assertEqual(pickles.load(b"ccloudpickle\nthing\n."), "own")

    def test_texts_of_python_2_are_bytes(self):
        self.assertEqual(pickles.load(b"\x80\x02U\x01\xffq\x00."), b"\xff")

    def test_lines(self):
        lines = []
        log = LineLog(lines.append)
        with contextlib.redirect_stdout(log):
            print("a", end="")
            print("b\n\nc", end="")
        self.assertEqual(lines, ["ab", ""])
        log.finish()
        log.write("x" * (LineLog.LONGEST + 1))
        log.finish()
        self.assertEqual(lines[2:], ["c", "x" * LineLog.LONGEST, "x"])
        with self.assertRaises(TypeError):
            log.write(5)

    def test_shortened_texts(self):
        self.assertEqual(shortened("\ud800ü", 100), "\\ud800ü".encode())
        cut = shortened("a" + "ü" * 1000 + "z", 301)
        self.assertLessEqual(len(cut), 301)
        text = cut.decode()
        self.assertTrue(text.startswith("aü") and text.endswith("üz") and " bytes left out " in text, text)
