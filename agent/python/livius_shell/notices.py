"""Python's warnings as the user should see them.

Warnings of PySpark's own modules go to the session's log, like Spark's other messages. Clients read a statement's text as
data, and Spark 4 warns at each call of `toJSON`, by which clients read tables.
"""

import os
import warnings

from . import streams
from .text import readable

# More than a useful statement prints; further warnings are dropped.
MOST = 20

_held = []


def prepare():
    # This process has our threads and PySpark's from the start, so the warning tells the user nothing.
    warnings.filterwarnings("ignore", message=".*is multi-threaded, use of", category=DeprecationWarning)
    unread = warnings.formatwarning
    warnings.formatwarning = lambda *arguments, **options: readable(unread(*arguments, **options))
    show = warnings.showwarning

    def shown(message, category, filename, lineno, file=None, line=None):
        # A job's own streams lead to the log already.
        if file is None and is_of_spark(filename) and not streams.is_led_away():
            if len(_held) < MOST:
                _held.append(readable("{}: {}".format(category.__name__, message)))
        else:
            show(message, category, filename, lineno, file, line)

    warnings.showwarning = shown


def is_of_spark(filename):
    return "{0}pyspark{0}".format(os.sep) in filename


def taken():
    """The warnings held back since the last call."""
    notes = list(_held)
    _held.clear()
    return notes
