"""Python's warnings as the user should see them."""

import warnings

from .text import readable


def prepare():
    # This process has threads of ours and of PySpark's from the start. The user did not choose that.
    warnings.filterwarnings("ignore", message=".*is multi-threaded, use of", category=DeprecationWarning)
    unread = warnings.formatwarning
    warnings.formatwarning = lambda *arguments, **options: readable(unread(*arguments, **options))
