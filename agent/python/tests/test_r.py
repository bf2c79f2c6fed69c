"""The whole R interpreter, without Spark, on the other side of the agent's protocol. Skipped where R is not installed."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import unittest

from tests.process import PATIENCE_SECONDS, Pipe

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "r")
OPTIONS = ["--slave", "--no-save", "--no-restore"]


class RProcess:
    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.child = subprocess.Popen(
                ["R", *OPTIONS, "--file=" + os.path.join(FOLDER, "start.R"), "--args", FOLDER],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                env=dict(os.environ, LC_ALL="C.UTF-8"),
            )
            self.child.stdin.write(b"%d s - -\n" % listener.getsockname()[1])
            self.child.stdin.close()
            self.output = Pipe(self.child.stdout)
            listener.settimeout(PATIENCE_SECONDS)
            self._connection, _ = listener.accept()
        self._connection.settimeout(PATIENCE_SECONDS)
        self._frame()
        self._frame()
        self._statement = 0

    def run(self, code, interrupt_after=None):
        """The fields of the reply, and what was printed."""
        self._statement += 1
        marker = b"<marker %d>" % self._statement
        fields = [b"run", code.encode(), marker, b"group", b"description"]
        body = b"".join(struct.pack(">I", len(field)) + field for field in fields)
        self._connection.sendall(struct.pack(">I", len(body)) + body)
        if interrupt_after is not None:
            threading.Timer(interrupt_after, os.killpg, (self.child.pid, signal.SIGINT)).start()
        output = self.output.until(marker)
        frame, fields = self._frame(), []
        while frame:
            (length,) = struct.unpack(">I", frame[:4])
            fields.append(frame[4 : 4 + length])
            frame = frame[4 + length :]
        return fields, output

    def close(self):
        self._connection.close()
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def _frame(self):
        return self._exactly(*struct.unpack(">I", self._exactly(4)))

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self._connection.recv(count - len(data))
            if not piece:
                raise EOFError("R has closed its connection")
            data += piece
        return data


@unittest.skipIf(shutil.which("R") is None, "R is not installed")
class R(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = RProcess()
        cls.addClassCleanup(cls.process.close)

    def text(self, code):
        fields, output = self.process.run(code)
        self.assertEqual(fields, [b"ok", b""], (code, output))
        return output

    def test_each_leftover_with_each_end(self):
        self.text("kept <- 1")
        for leftover in (
            "plot(1)",
            "warning('careful')",
            "cat('x')",
            "pdf(NULL)",
            "plot(1); par(mfrow = c(2, 2)); plot(1)",
            "plot(1); dev.off(); plot(2)",
            "plot(1); graphics.off()",
            "dev.new()",
            "sink(tempfile())",
            "sink(file(tempfile(), 'w')); sink()",
            "zz <- file(tempfile(), 'w'); sink(zz, type = 'message')",
            "zz <- textConnection('held', 'w'); sink(zz); close(zz)",
            "sink(tempfile()); sink(tempfile()); plot(1)",
            "suppressWarnings(as.integer('x'))",
            "on.exit(cat('y'))",
            "options(error = quote(cat('hooked')))",
            "addTaskCallback(function(...) TRUE)",
            "trace('sum', quote(cat('traced')), print = FALSE)",
            "closeAllConnections()",
        ):
            for end, interrupt in (
                ("1", None),
                ("stop('x')", None),
                ("q()", None),
                ("invokeRestart('abort')", None),
                ("Sys.sleep(60)", 0.2),
            ):
                if end == "1" and ("sink(" in leftover or "pdf(" in leftover):
                    continue  # these may be meant for several statements: the user ends them
                reply, _ = self.process.run(leftover + "\n" + end, interrupt_after=interrupt)
                if end != "1":
                    self.assertEqual(reply[0], b"error", (leftover, end, reply))
                self.assertEqual(self.text("2"), "[1] 2\n", (leftover, end))
                self.assertEqual(self.text("kept"), "[1] 1\n", (leftover, end))
                image = self.process.run("plot(1)")[0][1]
                self.assertTrue(image.startswith(b"\x89PNG"), (leftover, end))

    def test_what_is_redirected_stays_until_the_user_ends_it(self):
        self.text("file <- tempfile()\nsink(file)")
        self.assertEqual(self.text("print('inside')"), "")
        self.assertEqual(self.text("sink()\nreadLines(file)"), "[1] \"[1] \\\"inside\\\"\"\n")
        self.assertEqual(self.text("pdf(NULL)\nplot(1)"), "")
        self.assertIn("null device", self.text("dev.off()"))

    def test_a_text_that_does_not_parse_leaves_nothing(self):
        self.assertEqual(self.process.run("plot(1)\nx <- <- 2")[0][0], b"error")
        self.assertEqual(self.text("2"), "[1] 2\n")


if __name__ == "__main__":
    unittest.main()
