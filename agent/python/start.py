"""Starts the Python interpreter of a Livius session.

This file alone must be readable by any Python, however old, so that the wrong one is told of in words.
"""

import sys

if sys.version_info < (3, 8):  # noqa: UP036  (older Pythons get here)
    sys.exit("Livius needs Python 3.8 or newer and this is Python %d.%d (%s)" % (sys.version_info[:2] + (sys.executable,)))

from livius_shell import shell  # noqa: E402  (after the check of the version)

shell.main()
