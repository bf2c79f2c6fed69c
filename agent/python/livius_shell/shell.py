"""The life of the process: start, one statement after another, end."""

import atexit
import collections
import faulthandler
import json
import os
import signal
import sys
import threading
import time
import types

from . import completion, errors, notices, plots, streams
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
    namespace = _user_module().__dict__
    notices.prepare()
    plots.prepare()
    spark = _attach(orders["gatewayPort"], orders["gatewaySecret"], namespace)
    helper = Channel(orders["port"], orders["secret"], "help")
    threading.Thread(target=_help, args=(helper, namespace), name="livius-help", daemon=True).start()
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


def _attach(port, secret, namespace):
    from .spark import Spark

    try:
        spark = Spark(port, secret)
        namespace.update(spark.names())
        return spark
    except ImportError as error:
        sys.exit("Python {} cannot load PySpark: {}".format(sys.version.split()[0], error))


def _help(channel, namespace):
    """Answers completions, and ends the process as soon as the agent is gone, whatever the user's code is doing."""
    while True:
        request = channel.receive()
        if request is None:
            time.sleep(LEAVE_SECONDS)
            _end_group()
        found = completion.candidates(namespace, request["complete"])
        channel.send({"request": request["request"], "candidates": found})


class _Shell:
    def __init__(self, channel, output, spark, runner, limits):
        self._channel = channel
        self._output = output
        self._spark = spark
        self._runner = runner
        self._limits = limits
        self._interrupts = Interrupts()
        self._pid = os.getpid()

    def serve(self):
        while True:
            request = self._channel.receive()
            if request is None or "run" not in request:
                return
            self._output.restore()
            statement, code = request["run"], request["code"]
            reply = self._interrupts.guard(lambda: self._run(statement, code), errors.describe)  # noqa: B023  called at once
            if os.getpid() != self._pid:
                os._exit(0)  # this is a process that the user's code forked: the statement is not its own
            self._output.finish(request["marker"].encode("ascii"))
            self._channel.send(self._within_limits(reply))

    def _run(self, statement, code):
        try:
            self._spark.begin(statement)
        except Exception as error:  # the context was stopped: code that needs no Spark still runs
            print("livius: statement {}: no job group: {}".format(statement, error), file=sys.__stderr__)
        reply = self._runner.run(statement, code)
        reply["notes"] = list(reply.get("notes", ())) + notices.taken()
        return reply

    def _within_limits(self, reply):
        size = len(encode(reply))
        if size <= self._limits.output_bytes:
            return reply
        message = "the result has {} bytes, and a statement's output may have {}".format(size, self._limits.output_bytes)
        return errors.reply("OutputTooLarge", message, ["OutputTooLarge: {}\n".format(message)])
