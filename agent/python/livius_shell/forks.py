"""Processes that the user's code forked from this one: the end of the statement is their end."""

import sys
from os import _exit, getpid

from . import errors

_pid = getpid()


def is_fork():
    return getpid() != _pid


def leave_if_forked(error=None):
    """Ends such a process with the exit code that Python gives a program which ended with this error or none."""
    if not is_fork():
        return
    code = 0
    try:
        if issubclass(type(error), SystemExit):
            code = _exit_code(error.code)
        elif error is not None:
            code = 1
            sys.stderr.write(errors.trace(error))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        _exit(code)


def _exit_code(value):
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF
    print(value, file=sys.stderr)
    return 1
