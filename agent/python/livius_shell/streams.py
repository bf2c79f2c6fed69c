"""File descriptors 0, 1 and 2: for the user's code, restored before each statement and marked after it.

The agent reads descriptors 1 and 2. It knows that a statement's output is complete when it reads the statement's
marker, a secret of that statement, which is written to private copies that the user's code does not hold.

A job's output does not belong to a statement: in its thread `sys.stdout` and `sys.stderr` lead to the log. The output of
its other threads, of programs that it starts and of C code cannot be told apart: it joins the running statement's output.
"""

import io
import os
import sys
import threading
from os import close, dup2, fstat, set_blocking, write  # user code may replace these in their module

from .channel import private_copy
from .text import as_shown

# The target of a thread's output, by the thread's number. Other threads write to the stream itself.
_led_away = {}

# In a process that such a thread forks, no thread reads that output.
os.register_at_fork(after_in_child=_led_away.clear)


def lead_away(log):
    """Sends the output of the calling thread to a `LineLog`."""
    _led_away[threading.get_ident()] = log


def lead_back(thread):
    """Ends that before the thread ends: the next thread may get its number."""
    _led_away.pop(thread.ident, None)


def is_led_away():
    return threading.get_ident() in _led_away


class LineLog(io.TextIOBase):
    """Passes each printed line to `tell`, without its line end; a long line in pieces."""

    LONGEST = 8192

    def __init__(self, tell):
        self._tell = tell
        self._rest = ""
        self.buffer = _Bytes(self)

    def writable(self):
        return True

    def write(self, text):
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._tell_pieces(line)
        if len(self._rest) > self.LONGEST:
            self.finish()
        return len(text)

    def finish(self):
        """Passes on a line that has not ended."""
        line, self._rest = self._rest, ""
        if line:
            self._tell_pieces(line)

    def _tell_pieces(self, line):
        for start in range(0, len(line) or 1, self.LONGEST):
            self._tell(line[start : start + self.LONGEST])


class _Bytes(io.RawIOBase):
    """A `LineLog` for code that prints bytes."""

    def __init__(self, log):
        self._log = log

    def writable(self):
        return True

    def write(self, data):
        self._log.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)


_write = io.TextIOWrapper.write


_get_ident = threading.get_ident


class _Stream(io.TextIOWrapper):
    """Writes to a file descriptor, except for threads whose output goes to a `LineLog`."""

    mode = "w"

    def write(self, text):
        log = _led_away.get(_get_ident()) if _led_away else None
        if log is not None:
            return log.write(text)
        if type(text) is str:
            _write(self, as_shown(text))
            return len(text)
        return _write(self, text)

    @property
    def buffer(self):
        log = _led_away.get(_get_ident())
        return super().buffer if log is None else log.buffer


class _Nowhere:
    """A `LineLog` that keeps nothing."""

    def __init__(self):
        self.buffer = self

    def write(self, text):
        return len(text)


class Streams:
    def __init__(self):
        self._output = {1: private_copy(1), 2: private_copy(2)}
        self.errors = self._output[2]
        self._own = {}
        self._tried = {}
        self.restore()
        # A forked process has a copy of what is not flushed, and would write it a second time.
        os.register_at_fork(before=self.flush_own)

    def restore(self):
        """Makes the descriptors and streams usable that an earlier statement closed, redirected or replaced."""
        self._restore_descriptors()
        _restore_input()
        for name, fd in (("stdout", 1), ("stderr", 2)):
            if not _can_write(self._own.get(name)):
                self._own[name] = _text_stream(fd)
            for attribute in ("__{}__".format(name), name):
                if not self._is_usable(attribute):
                    setattr(sys, attribute, self._own[name])

    def _restore_descriptors(self):
        for fd, private in self._output.items():
            set_blocking(private, True)  # all copies share this flag: code may have changed it on its own copy
            dup2(private, fd)

    def doubt(self):
        """After an error, a stream of the user's own is tried again: it may be the cause."""
        self._tried.clear()

    def flush(self):
        """Flushes the statement's output, also through a stream of the user's own."""
        for private in self._output.values():
            set_blocking(private, True)
        for stream in (getattr(sys, "stdout", None), getattr(sys, "stderr", None)):
            _flush(stream)

    def flush_own(self):
        for stream in self._own.values():
            _flush(stream)

    def finish(self, marker):
        """Writes the marker behind the statement's output. Calls no code of the user's."""
        self.flush_own()
        self._restore_descriptors()
        self.flush_own()  # text that a descriptor refused, because the statement had closed or replaced it
        _flush_c_library()
        for private in self._output.values():
            write(private, marker)

    def _is_usable(self, attribute):
        stream = getattr(sys, attribute, None)
        if type(stream) in _KNOWN_STREAMS:
            return _can_write(stream)
        # The user's own code is called once only, because it may show or count what it writes.
        if stream is None or self._tried.get(attribute) is not stream:
            if not _can_write(stream):
                return False
            self._tried[attribute] = stream
        return True


_KNOWN_STREAMS = (_Stream, io.TextIOWrapper, io.StringIO)


def _can_write(stream):
    """Tries to write nothing. Only that tells of all the ways in which a stream may be broken."""
    _led_away[_get_ident()] = _Nowhere()  # for a stream of the user's own that adds something
    try:
        if isinstance(stream, io.TextIOWrapper):
            _write(stream, "")
        else:
            stream.write("")
        return True
    except (Exception, SystemExit):
        return False
    finally:
        _led_away.pop(_get_ident(), None)


def detach_input():
    """Reads the one line that the agent sends on standard input, then makes standard input empty."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            raise EOFError("standard input ended before the first line did")
        line += piece
    _empty_input()
    return line


def _empty_input():
    empty = os.open(os.devnull, os.O_RDONLY)
    if empty != 0:
        dup2(empty, 0)
        close(empty)
    os.set_inheritable(0, True)


def take_over():
    """Streams that write what any code prints, byte for byte, whatever the locale: line by line, as to a terminal."""
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None
    return Streams()


def _text_stream(fd):
    raw = io.BufferedWriter(io.FileIO(fd, "wb", closefd=False))
    return _Stream(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _restore_input():
    try:
        fstat(0)
    except OSError:  # closed
        _empty_input()
    for attribute in ("__stdin__", "stdin"):
        stream = getattr(sys, attribute, None)
        if stream is None or (type(stream) is io.TextIOWrapper and not _can_read(stream)):
            setattr(sys, attribute, io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8"))


def _can_read(stream):
    try:
        return stream.readable()
    except ValueError:  # closed or detached
        return False


def _flush(stream):
    try:
        stream.flush()
    except Exception:  # closed in the meantime, or a user's object
        pass


def _load_fflush():
    try:
        import ctypes

        return ctypes.CDLL(None).fflush
    except Exception:  # a Python without ctypes: text that C code printed may come late
        return None


_fflush = _load_fflush()


def _flush_c_library():
    """C code that prints with stdio holds its text back, as descriptor 1 is no terminal."""
    if _fflush is not None:
        _fflush(None)
