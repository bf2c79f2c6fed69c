"""A runner with what its code prints caught, as a whole session would show it."""

import contextlib
import io
import types

from livius_shell.runner import Runner
from livius_shell.shell import Limits


class Session:
    def __init__(self, rows=1000):
        self._runner = Runner(types.ModuleType("__main__").__dict__, Limits(rows, 1 << 20))
        self._statement = 0

    def run(self, code):
        """The reply, and what was printed."""
        self._statement += 1
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            reply = self._runner.run(self._statement, code)
        return reply, printed.getvalue()

    def printed(self, code):
        reply, printed = self.run(code)
        assert "error" not in reply, reply
        return printed

    def error(self, code):
        """Name and value of the error, and its traceback as one text."""
        error = self.run(code)[0]["error"]
        return error["ename"], error["evalue"], "".join(error["traceback"])

    def data(self, code):
        reply, _ = self.run(code)
        assert "error" not in reply, reply
        return reply["data"]
