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

from .channel import private_copy

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


class _Stream(io.TextIOWrapper):
    """Writes to a file descriptor, except for threads whose output goes to a `LineLog`."""

    mode = "w"

    def write(self, text):
        log = _led_away.get(threading.get_ident()) if _led_away else None
        return _write(self, text) if log is None else log.write(text)

    @property
    def buffer(self):
        log = _led_away.get(threading.get_ident())
        return super().buffer if log is None else log.buffer


class Streams:
    def __init__(self):
        self._output = {1: private_copy(1), 2: private_copy(2)}
        self.errors = self._output[2]
        self._own = {}
        self.restore()

    def restore(self):
        """Restores descriptors that an earlier statement closed or redirected."""
        for fd, private in self._output.items():
            os.dup2(private, fd)
            os.set_blocking(private, True)  # all copies share this flag: code may have changed it on its own copy
        for name, fd in (("stdout", 1), ("stderr", 2)):
            if _is_closed(getattr(sys, name)):
                self._own[name] = _text_stream(fd)
                setattr(sys, name, self._own[name])
                setattr(sys, "__{}__".format(name), self._own[name])

    def finish(self, marker):
        """Flushes the statement's output, then writes the marker."""
        for stream in [sys.stdout, sys.stderr] + list(self._own.values()):
            _flush(stream)
        _flush_c_library()
        for private in self._output.values():
            os.set_blocking(private, True)
            os.write(private, marker)


def detach_input():
    """Reads the one line that the agent sends on standard input, then makes standard input empty."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            raise EOFError("standard input ended before the first line did")
        line += piece
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return line


def take_over():
    """Streams that write what any code prints, byte for byte, whatever the locale: line by line, as to a terminal."""
    for name in ("stdout", "stderr"):
        setattr(sys, name, None)
    return Streams()


def _text_stream(fd):
    return _Stream(open(fd, "wb", closefd=False), encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _is_closed(stream):
    try:
        return stream is None or stream.closed
    except Exception:  # a user's object that is only partly a stream
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
