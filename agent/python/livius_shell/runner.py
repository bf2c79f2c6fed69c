"""Runs a statement in the user's namespace, and returns its data or its error."""

import inspect
import linecache

from . import errors, forks, magics, plots
from .hooks import Hooks
from .source import Compiler, Magic
from .text import file_name


class Runner:
    def __init__(self, namespace, limits):
        self._namespace = namespace
        self._limits = limits
        self._compiler = Compiler()
        self._hooks = Hooks()
        self._loop = None

    def rehearse(self, code):
        """As `run`, and forgets the code and all that it defines."""
        rehearsal = "rehearsal"
        try:
            return Runner(dict(self._namespace), self._limits).run(rehearsal, code)
        finally:
            linecache.cache.pop(file_name(rehearsal), None)

    def run(self, statement, code):
        """`{"data": …}` with the magic's or plot's result by MIME type (often none), or `{"error": …}`."""
        plots.drop()  # an interrupt may have left some open
        try:
            steps = self._compiler.compile(statement, code)
        except Exception as error:  # SyntaxError; for odd texts also ValueError, MemoryError or RecursionError
            return errors.unparsed(error)
        try:
            reply = self._run_steps(statement, steps)
            forks.leave_if_forked()
            return reply
        except BaseException as error:  # SystemExit and KeyboardInterrupt are errors like any other
            forks.leave_if_forked(error)
            return errors.uncaught(error)
        finally:
            plots.drop()

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
            self._wait_for(self._hooks.applied(eval, code, self._namespace))
        else:
            self._hooks.applied(exec, code, self._namespace)

    def _evaluate(self, statement, text):
        return self._hooks.applied(eval, self._compiler.expression(text, file_name(statement)), self._namespace)

    def _wait_for(self, coroutine):
        """Runs code with `await` at its top level. Keeps the event loop, so that tasks go on in later statements."""
        import asyncio  # imported when first needed: it would slow each start down

        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(coroutine)
        try:
            self._hooks.applied(self._loop.run_until_complete, task)
        finally:
            # After an interrupt in the loop. The code's clean-up belongs to this statement, not to the next one with `await`.
            if not task.done() and not self._loop.is_closed():
                task.cancel()
                try:
                    self._hooks.applied(self._loop.run_until_complete, task)
                except asyncio.CancelledError:
                    pass
