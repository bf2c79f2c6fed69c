"""Runs a statement in the user's namespace, and returns its data or its error."""

import inspect

from . import errors, magics, plots
from .source import Compiler, Magic
from .text import file_name


class Runner:
    def __init__(self, namespace, limits):
        self._namespace = namespace
        self._limits = limits
        self._compiler = Compiler()
        self._loop = None

    def run(self, statement, code):
        """`{"data": …}` with the magic's or plot's result by MIME type (often none), or `{"error": …}`."""
        try:
            steps = self._compiler.compile(statement, code)
        except Exception as error:  # SyntaxError; for odd texts also ValueError, MemoryError or RecursionError
            return errors.describe_unparsed(error)
        try:
            return self._run_steps(statement, steps)
        except BaseException as error:  # SystemExit and KeyboardInterrupt are errors like any other
            return errors.describe(error)

    def _run_steps(self, statement, steps):
        result = magics.NOTHING
        for step in steps:
            if isinstance(step, Magic):
                result = magics.run(step, lambda text: self._evaluate(statement, text), self._limits)
            else:
                self._execute(step)
                result = magics.NOTHING
        return {"data": result.data or plots.take_open_figures(), "notes": result.notes}

    def _execute(self, code):
        if code.co_flags & inspect.CO_COROUTINE:
            self._wait_for(eval(code, self._namespace))
        else:
            exec(code, self._namespace)

    def _evaluate(self, statement, text):
        return eval(self._compiler.expression(text, file_name(statement)), self._namespace)

    def _wait_for(self, coroutine):
        """Runs code with `await` at its top level. Keeps the event loop, so that tasks go on in later statements."""
        import asyncio  # imported when first needed: it would slow each start down

        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(coroutine)
        try:
            self._loop.run_until_complete(task)
        finally:
            task.cancel()  # after an interrupt in the loop; harmless for a finished task
