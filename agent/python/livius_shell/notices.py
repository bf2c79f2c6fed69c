"""Python's warnings as the user should see them.

What PySpark's own modules warn of goes to the session's log, as Spark's other words do: clients take a statement's text for
data, and Spark 4 warns wherever `toJSON` is called, which is how they read tables.
"""

import os
import warnings

from . import streams
from .text import readable

# More than a statement can sensibly say; what is beyond is dropped.
MOST = 20

_held = []


def prepare():
    # This process has threads of ours and of PySpark's from the start. The user did not choose that.
    warnings.filterwarnings("ignore", message=".*is multi-threaded, use of", category=DeprecationWarning)
    unread = warnings.formatwarning
    warnings.formatwarning = lambda *arguments, **options: readable(unread(*arguments, **options))
    show = warnings.showwarning

    def shown(message, category, filename, lineno, file=None, line=None):
        # A job's own streams lead to the log as it is.
        if file is None and is_of_spark(filename) and not streams.is_led_away():
            if len(_held) < MOST:
                _held.append(readable("{}: {}".format(category.__name__, message)))
        else:
            show(message, category, filename, lineno, file, line)

    warnings.showwarning = shown


def is_of_spark(filename):
    return "{0}pyspark{0}".format(os.sep) in filename


def taken():
    """What was held back since the last call."""
    notes = list(_held)
    _held.clear()
    return notes
