"""The life of the process: start, one statement after another, end."""

import atexit
import collections
import faulthandler
import json
import os
import queue
import signal
import sys
import threading
import time
import types

from . import completion, errors, notices, plots, streams, threads
from .channel import Channel, encode
from .interrupts import Interrupts
from .job_context import JobContext
from .jobs import Jobs
from .runner import Runner

Limits = collections.namedtuple("Limits", "rows output_bytes")

# The time that code may take which the user registered for the end of the process.
LEAVE_SECONDS = 0.8


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _own_group()
    orders = json.loads(streams.detach_input().decode("utf-8"))
    output = streams.take_over()
    leaving = threading.Event()
    atexit.register(lambda: leaving.is_set() and _end_group())  # registered first, so called last
    faulthandler.enable(file=output.errors)
    channel = Channel(orders["port"], orders["secret"], "run")
    errors.show_lines_of_threads()
    notices.prepare()
    plots.prepare()
    spark = _load_spark(orders["gatewayPort"], orders["gatewaySecret"])
    namespace = _user_module().__dict__
    spark.attach(namespace)
    helper = Channel(orders["port"], orders["secret"], "help")
    threads.start(_help, helper, namespace)
    limits = Limits(orders["maxRows"], orders["outputBytes"])
    context = JobContext(spark, orders["jobFolder"])
    Jobs(Channel(orders["port"], orders["secret"], "jobs"), spark, context, limits.output_bytes).start()
    channel.send({"ready": True, "version": sys.version.split()[0]})
    _Shell(channel, output, spark, Runner(namespace, limits), limits).serve()
    leaving.set()


def _own_group():
    """Makes this process and all that it starts one group, which the agent can end as a whole."""
    try:
        os.setsid()
    except OSError:  # it is a group's leader already
        pass


def _end_group():
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _user_module():
    """An empty `__main__`: what the user defines there is sent to executors by value."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    module.__dict__["__builtins__"] = sys.modules["builtins"]
    sys.path[0] = ""
    sys.argv = [""]
    return module


def _load_spark(port, secret):
    from .spark import Spark

    try:
        return Spark(port, secret)
    except ImportError as error:
        sys.exit("Python {} cannot load PySpark: {}".format(sys.version.split()[0], error))


def _help(channel, namespace):
    """Answers completions, and ends the process as soon as the agent is gone, whatever the user's code is doing."""
    while True:
        request = channel.receive()
        if request is None:
            time.sleep(LEAVE_SECONDS)
            _end_group()
        try:
            found = completion.candidates(namespace, request["complete"])
        except BaseException:  # a value's own code may raise anything
            found = []
        channel.send({"request": request["request"], "candidates": found})


class _Turn:
    """One statement on its way through the main thread."""

    def __init__(self, request):
        self.statement = request["run"]
        self.code = request["code"]
        self.begun = False
        self.reply = None
        self.told = False
        self.heard = False


class _Shell:
    """The main thread runs the statements' code, and another thread talks to the agent.

    The user's signal handlers run in the main thread at any time, and other threads may throw an exception into it. So it can
    meet an exception at any point, even here. It takes no part in the protocol: it only looks at what is to be done next.
    """

    # How many exceptions may come so close together that each meets the handling of the one before.
    _LEVELS = 4

    # A signal that comes just before the wait does not end it, and its handler would run with the next statement.
    _LONGEST_WAIT_SECONDS = 1.0

    def __init__(self, channel, output, spark, runner, limits):
        self._channel = channel
        self._output = output
        self._spark = spark
        self._runner = runner
        self._limits = limits
        self._interrupts = Interrupts()
        self._turn = None
        self._over = False
        # Each item means only that there is something new to look at.
        self._to_main = queue.SimpleQueue()
        self._from_main = queue.SimpleQueue()

    def serve(self):
        threads.start(self._converse)
        self._persist(self._LEVELS)

    def _converse(self):
        while True:
            request = self._channel.receive()
            if request is None or "run" not in request:
                break
            self._turn = turn = _Turn(request)
            self._to_main.put(None)
            while not turn.told:
                self._from_main.get()
            turn.heard = True
            self._output.finish(request["marker"].encode("ascii"))
            self._channel.send(self._within_limits(turn.reply))
        self._over = True
        self._to_main.put(None)

    def _persist(self, levels):
        while not self._over:
            try:
                if levels:
                    self._persist(levels - 1)
                else:
                    self._go_on()
            except BaseException as error:
                self._meet(error)

    def _go_on(self):
        while not self._over:
            turn = self._turn
            if turn is None or turn.told:
                self._wait()
            else:
                if not turn.begun:
                    turn.begun = True
                    turn.reply = self._interrupts.guard(lambda: self._run(turn), errors.uncaught)  # noqa: B023  called at once
                if turn.reply is None:
                    turn.reply = _LOST
                turn.told = True
                self._from_main.put(None)

    def _wait(self):
        try:
            self._to_main.get(timeout=self._LONGEST_WAIT_SECONDS)
        except queue.Empty:
            pass

    def _meet(self, error):
        """An exception that the user's code raised in this class: it belongs to the statement, or else to the log."""
        turn = self._turn
        if turn is not None and turn.begun and not turn.told:
            turn.reply = errors.uncaught(error)
        else:
            threads.log(errors.trace(error))
        if turn is not None and turn.told and not turn.heard:  # it came before this was said
            self._from_main.put(None)

    def _run(self, turn):
        if turn.statement is None:
            return self._rehearse(turn.code)
        notices.taken()  # left by an interrupt
        self._output.restore()
        notes = self._begin_jobs(turn.statement)
        reply = self._runner.run(turn.statement, turn.code)
        if "error" in reply:
            self._output.doubt()
        self._output.flush()
        reply["notes"] = notes + list(reply.get("notes", ())) + notices.taken()
        return reply

    def _rehearse(self, code):
        """Runs code before the first statement, in a copy of the namespace, so that nothing of it stays."""
        self._spark.begin_rehearsal()
        try:
            return self._runner.rehearse(code)
        finally:
            self._output.flush()
            notices.taken()

    def _begin_jobs(self, statement):
        try:
            self._spark.begin(statement)
            return []
        except Exception as error:  # the context was stopped: code that needs no Spark still runs
            return ["no job group: {}".format(error)]

    def _within_limits(self, reply):
        size = len(encode(reply))
        if size <= self._limits.output_bytes:
            return reply
        message = "the result has {} bytes, and a statement's output may have {}".format(size, self._limits.output_bytes)
        return errors.reply("OutputTooLarge", message, ["OutputTooLarge: {}\n".format(message)])


_LOST = errors.reply("KeyboardInterrupt", "the statement's result was lost, because several exceptions interrupted it", [])
