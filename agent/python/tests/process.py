"""The whole interpreter process, without Spark, on the other side of the agent's protocol."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

_START = """
import sys
from livius_shell import shell

class NoSpark:
    def begin(self, statement): pass

shell._attach = lambda port, secret, namespace: NoSpark()
shell.main()
"""


class Process:
    def __init__(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.child = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        )
        orders = {"port": listener.getsockname()[1], "secret": "s", "gatewayPort": 0, "gatewaySecret": "", "maxRows": 10, "outputBytes": 1 << 20}
        self.child.stdin.write(json.dumps(orders).encode() + b"\n")
        self.child.stdin.close()
        self.child.stdin = None
        self.statements, greeting = self._accept(listener)
        self.help, _ = self._accept(listener)
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
        output, errors = (self._until(pipe, marker.encode()) for pipe in (self.child.stdout, self.child.stderr))
        return self._receive(self.statements), output, errors

    def complete(self, before):
        self._send(self.help, {"request": 1, "complete": before})
        return self._receive(self.help)["candidates"]

    def hang_up(self):
        for connection in (self.statements, self.help):
            connection.close()

    def begin(self, code):
        """Runs code without waiting for it."""
        self._send(self.statements, {"run": 0, "code": code, "marker": "m"})

    def close(self):
        self.hang_up()
        self.child.communicate(timeout=10)

    @staticmethod
    def _until(pipe, marker):
        seen = b""
        while not seen.endswith(marker):
            piece = os.read(pipe.fileno(), 65536)
            if not piece:
                raise EOFError(seen)
            seen += piece
        return seen[: -len(marker)].decode()

    def _accept(self, listener):
        connection, _ = listener.accept()
        return connection, self._frame(connection)

    @staticmethod
    def _send(connection, frame):
        body = json.dumps(frame).encode()
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
