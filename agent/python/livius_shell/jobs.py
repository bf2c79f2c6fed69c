"""Jobs: functions that clients send as pickles. Each runs in its own thread, at the same time as statements and other jobs.

The agent sends a head, `{"job": …, "group": …}`, and the pickle as bytes, or `{"cancel": job}`, or `{"library": path}`. The
answer is a head, `{"done": job, "ok": …}`, and bytes: the result's pickle in base64 or the error's text. `{"added": path,
"error": …}` answers a library, and `{"log": text}` is for the session's log.
"""

import binascii
import os
import queue
import sys
import threading
import time

from . import errors, hooks, interrupts, pickles, streams, threads
from .text import clean, shortened

# An interrupt may be lost between two steps of the code, or be caught by it.
INTERRUPT_EVERY_SECONDS = 1.0

MOST_ERROR_BYTES = 64 << 10

# The number of printed lines that may wait to be sent. Beyond that, a job that prints waits.
MOST_WAITING = 1000


class Jobs:
    """All jobs of this process. One thread reads from the agent, another writes to it and stops cancelled jobs.

    Jobs themselves do not write to the agent: an interrupt could cut a frame.
    """

    def __init__(self, channel, spark, context, most_bytes):
        self._channel = channel
        self._spark = spark
        self._context = context
        self._most_bytes = most_bytes
        self._running = {}
        self._actions = queue.SimpleQueue()

    def start(self):
        threads.start(self._hear)
        threads.start(self._act)

    def _hear(self):
        while True:
            request = self._channel.receive()
            if request is None:
                return
            if "job" in request:
                payload = self._channel.receive_bytes()
                if payload is None:
                    return
                self._do(self._begin, Job(request["job"], request["group"], payload, self))
            elif "cancel" in request:
                self._do(self._cancel, request["cancel"])
            elif "library" in request:
                self._do(self._channel.send, self._added(request["library"]))

    def _act(self):
        while True:
            try:
                action, argument = self._actions.get(timeout=INTERRUPT_EVERY_SECONDS if self._running else None)
            except queue.Empty:
                self._pursue()
                continue
            try:
                action(argument)
            except OSError:  # the agent is gone, so this process ends soon
                return
            self._pursue()

    def _do(self, action, argument):
        self._actions.put((action, argument))

    def _added(self, path):
        try:
            self._spark.add_library(path)
            return {"added": path, "error": None}
        except Exception as error:
            return {"added": path, "error": shortened(errors.trace(error), MOST_ERROR_BYTES).decode("utf-8")}

    def _begin(self, job):
        self._running[job.number] = job
        try:
            job.thread.start()
        except RuntimeError as error:  # the system allows no more threads
            job.outcome = failure(error)
            self._end(job)

    def _cancel(self, number):
        job = self._running.get(number)
        if job is not None and job.interrupt_due is None:
            job.interrupt_due = time.monotonic()

    def _pursue(self):
        """Interrupts cancelled jobs repeatedly. A job's thread ends only after this thread has released it."""
        for job in list(self._running.values()):
            if not job.thread.is_alive():  # an exception arrived where it could not be caught
                self._end(job)
            elif job.interrupt_due is not None and time.monotonic() >= job.interrupt_due:
                job.interrupt_due = time.monotonic() + INTERRUPT_EVERY_SECONDS
                interrupts.raise_in(job.thread)

    def _end(self, job):
        if self._running.pop(job.number, None) is None:
            return
        streams.lead_back(job.thread)
        job.let_go()
        ok, body = job.outcome
        self._channel.send({"done": job.number, "ok": ok})
        self._channel.send_bytes(body)

    # Jobs call the methods below, in their threads.

    def result(self, job, group, payload):
        """Runs the job of this pickle. Returns the result's pickle in base64."""
        try:
            self._spark.begin_job(job, group)
        except Exception as error:  # the context was stopped: code that needs no Spark still runs
            print("no job group: {}".format(error), file=sys.stderr)
        function = pickles.load(payload)
        body = binascii.b2a_base64(pickles.dump(function(self._context)), newline=False)
        if len(body) > self._most_bytes:
            raise ResultTooLarge(
                "the result's pickle has {} bytes in base64, and a job's may have {}: "
                "write it to a file or table and return its name".format(len(body), self._most_bytes)
            )
        return body

    def log(self, text):
        while self._actions.qsize() > MOST_WAITING:
            time.sleep(0.01)
        self._do(self._channel.send, {"log": clean(text)})

    def ended(self, job):
        self._do(self._end, job)


class Job:
    """One job and its thread. Interrupts strike that thread at any point until it is let go."""

    def __init__(self, number, group, payload, jobs):
        self.number = number
        self.thread = threading.Thread(target=self._run, name="job-{}".format(number), daemon=True)
        self.interrupt_due = None
        self.outcome = failure(KeyboardInterrupt())  # the outcome if an interrupt leaves no time to set another
        self._group = group
        self._payload = payload
        self._jobs = jobs
        self._begun = False
        self._released = False
        self._gate = threading.Lock()
        self._gate.acquire()
        self._pid = os.getpid()

    def let_go(self):
        self._released = True
        self._gate.release()

    def _run(self):
        hooks.end_profile()  # the user's, for threads
        hooks.end_trace()
        while not self._released:
            try:
                self._go_on()
            except BaseException:  # an interrupt that came when the code was over already
                pass

    def _go_on(self):
        if not self._begun:
            self._begun = True
            self.outcome = self._attempt()
            if os.getpid() != self._pid:
                os._exit(0)  # this is a process that the job forked: the job is not its own
        self._jobs.ended(self)
        self._gate.acquire()

    def _attempt(self):
        log = streams.LineLog(self._tell)
        try:
            streams.lead_away(log)
            payload, self._payload = self._payload, None
            return True, self._jobs.result(self.number, self._group, payload)
        except BaseException as error:  # SystemExit and KeyboardInterrupt are errors like any other
            return failure(error)
        finally:
            log.finish()

    def _tell(self, line):
        if os.getpid() == self._pid:
            self._jobs.log("job {}: {}".format(self.number, line))


class ResultTooLarge(Exception):
    """Raised for a result that the agent would refuse."""

    __module__ = "builtins"


def failure(error):
    """The outcome of a job that an exception ended, in Livy's form."""
    return False, shortened("Client job error:\n" + errors.trace(error), MOST_ERROR_BYTES)
