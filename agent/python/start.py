"""Starts the Python interpreter of a Livius session.

Every Python, however old, must be able to read this file, so that it can refuse an old one in words.
"""

import sys

if sys.version_info < (3, 8):  # noqa: UP036  (older Pythons get here)
    sys.exit("Livius needs Python 3.8 or newer and this is Python %d.%d (%s)" % (sys.version_info[:2] + (sys.executable,)))

from livius_shell import shell  # noqa: E402  (after the check of the version)

shell.main()
