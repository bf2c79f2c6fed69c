"""File descriptors 0, 1 and 2: the user's, put back in order before each statement and marked after it.

The agent reads what arrives on 1 and 2. It knows that a statement's output is complete when it reads the statement's
marker, a secret of that statement, which is written to private copies that the user's code does not hold.
"""

import os
import sys

from .channel import private_copy


class Streams:
    def __init__(self):
        self._output = {1: private_copy(1), 2: private_copy(2)}
        self.errors = self._output[2]
        self._own = {}
        self.restore()

    def restore(self):
        """Undoes what an earlier statement closed or redirected at the level of the process."""
        for fd, private in self._output.items():
            os.dup2(private, fd)
            os.set_blocking(private, True)  # shared by all copies: code may have changed it on its own one
        for name, fd in (("stdout", 1), ("stderr", 2)):
            if _is_closed(getattr(sys, name)):
                self._own[name] = _text_stream(fd)
                setattr(sys, name, self._own[name])
                setattr(sys, "__{}__".format(name), self._own[name])

    def finish(self, marker):
        """Pushes out all that the statement printed, then the marker."""
        for stream in [sys.stdout, sys.stderr] + list(self._own.values()):
            _flush(stream)
        _flush_c_library()
        for private in self._output.values():
            os.set_blocking(private, True)
            os.write(private, marker)


def detach_input():
    """Reads the one line that the agent sends on standard input; from then on that is empty."""
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
    return open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _is_closed(stream):
    try:
        return stream is None or stream.closed
    except Exception:  # an object of the user's that is a stream in part only
        return False


def _flush(stream):
    try:
        stream.flush()
    except Exception:  # closed meanwhile, or an object of the user's
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
