"""Threads of this package.

The module `threading` does not list them, because user code may join every thread that is listed, or throw exceptions into it.
They take no signals, so that a signal wakes the main thread, which runs the user's code and handlers.
"""

import signal
import traceback
from _thread import start_new_thread
from os import _exit, write

from .channel import private_copy

_log = private_copy(2)

# sysexits.h: an internal error.
_EXIT_CODE = 70


def start(action, *arguments):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        start_new_thread(_attempt, (action, arguments))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _attempt(action, arguments):
    try:
        action(*arguments)
    except BaseException as error:  # the session would wait for this thread without end
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        log("livius: the Python interpreter has failed\n" + trace)
        _exit(_EXIT_CODE)


def log(text):
    """Writes to the session's log. While a statement runs, the text becomes part of its output instead."""
    try:
        write(_log, text.encode("utf-8", "backslashreplace"))
    except OSError:  # the pipe is closed or full
        pass
