"""The whole interpreter process, without Spark, on the other side of the agent's protocol."""

import base64
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

PATIENCE_SECONDS = 60

_START = """
import logging, os, sys
from livius_shell import shell, spark

try:
    import cloudpickle
except ImportError:  # it comes with PySpark; what these tests pickle needs no more than this
    import pickle, types
    class CloudPickler(pickle.Pickler):
        def reducer_override(self, value): return NotImplemented
    sys.modules["cloudpickle"] = types.SimpleNamespace(__name__="cloudpickle", CloudPickler=CloudPickler)

class Py4j:
    def begin(self, statement): logging.getLogger("py4j.clientserver").debug("Command to send")
    beginJob = begin

class NoSpark(spark.Spark):
    def __init__(self):
        self._driver = Py4j()
        spark.unlogged.prepare()
    def _follow(self, application): pass
    def attach(self, namespace): pass
    def begin_rehearsal(self): print("begins")
    def begin_job(self, job, group): assert group == "group-{}".format(job)
    def add_library(self, path):
        os.stat(path)
        sys.path.insert(1, path)
    def streaming_context(self, batch_seconds): return "every {} s".format(batch_seconds)

shell._load_spark = lambda port, secret: NoSpark()
shell.main()
"""


class Pipe:
    """One output of the child, read all the time, as the agent does: a full pipe would stop the child."""

    def __init__(self, file):
        self._file = file
        self._seen = b""
        self._ended = False
        self._changed = threading.Condition()
        threading.Thread(target=self._drain, daemon=True).start()

    def until(self, words):
        """What comes before these words, and takes them away. Fails when they do not come."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended or words in self._seen, PATIENCE_SECONDS) or words not in self._seen:
                raise EOFError("no {} in {}".format(words, self._seen[-10000:]))
            before, _, self._seen = self._seen.partition(words)
            return before.decode()

    def rest(self):
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended, PATIENCE_SECONDS)
            return self._seen

    def _drain(self):
        with self._file:
            while True:
                piece = os.read(self._file.fileno(), 65536)
                with self._changed:
                    self._seen += piece
                    self._ended = not piece
                    self._changed.notify_all()
                if not piece:
                    return


class Process:
    def __init__(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.child = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        )
        self.folder = tempfile.TemporaryDirectory()
        orders = {
            "port": listener.getsockname()[1], "secret": "s", "gatewayPort": 0, "gatewaySecret": "",
            "maxRows": 10, "outputBytes": 1 << 20,
            "jobFolder": os.path.join(self.folder.name, "jobs"),
        }
        self.child.stdin.write(json.dumps(orders).encode() + b"\n")
        self.child.stdin.close()
        self.output, self.errors = Pipe(self.child.stdout), Pipe(self.child.stderr)
        self.statements, greeting = self._accept(listener)
        self.help, _ = self._accept(listener)
        self.jobs, _ = self._accept(listener)
        listener.close()
        assert greeting == b"s run %d" % self.child.pid, greeting
        assert self._receive(self.statements) == {"ready": True, "version": sys.version.split()[0]}
        self._statement = 0

    def run(self, code, interrupt_after=None):
        """The reply, and what arrived on stdout and stderr before the marker."""
        self._statement += 1
        marker = "<marker {}>".format(self._statement)
        self._send(self.statements, {"run": self._statement, "code": code, "marker": marker})
        if interrupt_after is not None:
            threading.Timer(interrupt_after, os.kill, (self.child.pid, signal.SIGINT)).start()
        output, errors = (pipe.until(marker.encode()) for pipe in (self.output, self.errors))
        return self._receive(self.statements), output, errors

    def rehearse(self, code):
        """As `run`, for code that is to leave nothing."""
        self._send(self.statements, {"run": None, "code": code, "marker": "<rehearsed>"})
        output = self.output.until(b"<rehearsed>")
        self.errors.until(b"<rehearsed>")
        return self._receive(self.statements), output

    def complete(self, before):
        self._send(self.help, {"request": 1, "complete": before})
        return self._receive(self.help)["candidates"]

    def hang_up(self):
        for connection in (self.statements, self.help, self.jobs):
            connection.close()

    def submit(self, job, payload):
        """Sends a job without waiting for it."""
        self._send(self.jobs, {"job": job, "group": "group-{}".format(job)})
        self._send_bytes(self.jobs, payload)

    def cancel(self, job):
        self._send(self.jobs, {"cancel": job})

    def add_library(self, path):
        self._send(self.jobs, {"library": path})
        return self._receive(self.jobs)

    def logged(self):
        """The next line for the session's log."""
        return self._receive(self.jobs)["log"]

    def done(self):
        """The next job that is over: its number, and its result's pickle or its error's text."""
        head = self._receive(self.jobs)
        body = self._frame(self.jobs)
        return head["done"], base64.b64decode(body) if head["ok"] else body.decode()

    def begin(self, code):
        """Runs code without waiting for it."""
        self._send(self.statements, {"run": 0, "code": code, "marker": "m"})

    def close(self):
        self.hang_up()
        try:
            self.child.wait(timeout=10)
        finally:
            self.child.kill()
            self.child.wait()
        self.folder.cleanup()

    def _accept(self, listener):
        connection, _ = listener.accept()
        connection.settimeout(PATIENCE_SECONDS)
        return connection, self._frame(connection)

    @staticmethod
    def _send(connection, frame):
        Process._send_bytes(connection, json.dumps(frame).encode())

    @staticmethod
    def _send_bytes(connection, body):
        connection.sendall(struct.pack(">I", len(body)) + body)

    def _receive(self, connection):
        return json.loads(self._frame(connection).decode())

    @staticmethod
    def _frame(connection):
        def exactly(count):
            data = b""
            while len(data) < count:
                piece = connection.recv(count - len(data))
                if not piece:
                    raise EOFError("the child has closed its connection")
                data += piece
            return data

        return exactly(*struct.unpack(">I", exactly(4)))
