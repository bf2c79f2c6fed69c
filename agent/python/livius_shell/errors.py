"""Exceptions of the user's code as Livy's error outputs."""

import os
import sys
import threading
import traceback

from .text import is_user_file, readable

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class UnknownMagic(Exception):
    """Raised for a line that starts with `%` and names no magic."""

    __module__ = "builtins"  # tracebacks leave the name of this module out


class _Frames(traceback.StackSummary):
    """A stack that keeps the line `Traceback …` even if it has no frames left to show."""

    def __bool__(self):
        return True


def reply(ename, evalue, lines):
    return {"error": {"ename": readable(ename), "evalue": readable(evalue), "traceback": [readable(line) for line in lines]}}


def uncaught(error):
    """The reply for an exception that left the user's code: its traceback without our own frames."""
    _set_traceback(error, _users_part(_get_traceback(error)))
    _remember(error)
    return reply(_name(error), _message(error), _traceback(error))


def unparsed(error):
    """The reply for code that is not Python: it has no traceback."""
    _set_traceback(error, None)
    _remember(error)
    return reply(_name(error), _message(error), traceback.format_exception_only(type(error), error))


def _remember(error):
    """Sets what `traceback.print_last` and `pdb.pm` ask for, as the interactive Python does."""
    if issubclass(type(error), SystemExit):
        return
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, _get_traceback(error)
    if sys.version_info >= (3, 12):
        sys.last_exc = error


# The user's class may hide the attribute.
_get_traceback = BaseException.__traceback__.__get__
_set_traceback = BaseException.__traceback__.__set__


def _users_part(trace):
    """The traceback from the statement's top level on, or from the first frame that is not ours."""
    first = trace
    while first is not None and not _is_top(first.tb_frame.f_code.co_name, first.tb_frame.f_code.co_filename):
        first = first.tb_next
    if first is None:
        first = trace
        while first is not None and first.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
            first = first.tb_next
    return first


def show_lines_of_threads():
    """Has errors that end a thread shown with the lines of the user's code. Before 3.13, Python looks for them in files only."""
    if sys.version_info < (3, 13):
        threading.excepthook = _show_end_of_thread


def _show_end_of_thread(ended):
    if ended.exc_type is SystemExit or sys.stderr is None:
        return
    lines = traceback.format_exception(ended.exc_type, ended.exc_value, ended.exc_traceback)
    name = threading.get_ident() if ended.thread is None else ended.thread.name
    sys.stderr.write("Exception in thread {}:\n{}".format(name, "".join(lines)))
    sys.stderr.flush()


def trace(error):
    """The traceback as one text, without our own frames."""
    return "".join(readable(line) for line in _traceback(error))


def _name(error):
    return type.__dict__["__name__"].__get__(type(error))  # the user's metaclass may hide it


def _message(error):
    try:
        return str(error)
    except BaseException as broken:  # the user's __str__ may raise anything, even SystemExit
        return "<the exception's text could not be made: {}>".format(_name(broken))


def _traceback(error):
    try:
        described = traceback.TracebackException(type(error), error, _get_traceback(error))
        for each in _chain(described, set()):
            if each.stack:
                each.stack = _Frames(_users_frames(each.stack))
        return list(described.format())
    except BaseException as broken:  # as above, or an error in its causes
        return ["{}: {} (no traceback: {})\n".format(_name(error), _message(error), _name(broken))]


def _chain(described, seen):
    """A described exception with its causes and, for a group, its members."""
    if described is None or id(described) in seen:
        return
    seen.add(id(described))
    yield described
    for other in [described.__cause__, described.__context__] + list(getattr(described, "exceptions", None) or []):
        yield from _chain(other, seen)


def _users_frames(stack):
    """Drops our own frames and those that lead to the user's code. As in Livy, also drops the statement's top level."""
    top = next((index for index, frame in enumerate(stack) if _is_top(frame.name, frame.filename)), -1)
    return [frame for frame in stack[top + 1 :] if not frame.filename.startswith(_OWN_FOLDER)]


def _is_top(function, file):
    return function == "<module>" and is_user_file(file)
