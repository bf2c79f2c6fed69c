"""The user's trace and profile functions and recursion limit apply to the user's code only, not to this package's."""

import functools
from sys import getprofile, getrecursionlimit, gettrace, setprofile, setrecursionlimit, settrace

# A profile function learns of each call of a C function, but not of a partial's.
profile = functools.partial(getprofile)
trace = functools.partial(gettrace)
end_profile = functools.partial(setprofile, None)
end_trace = functools.partial(settrace, None)
_can_be_called = functools.partial(callable)

# This package needs so many frames, also when the user's code sets a lower limit.
_LEAST_RECURSION = 500


class Hooks:
    """They are taken away when the user's code ends, and given back when it goes on."""

    def __init__(self):
        self._profile = None
        self._trace = None
        self._recursion = None

    def applied(self, function, *arguments):
        """Calls a function with them. No frame but the function's own sees them."""
        action = functools.partial(function, *arguments)
        if self._recursion is not None:
            setrecursionlimit(self._recursion)
        try:
            if self._trace is not None:
                settrace(self._trace)
            if self._profile is not None:
                setprofile(self._profile)
            return action()
        finally:
            # No call of a Python function before the end of both: it would be seen.
            self._profile = profile()
            if self._profile is not None:
                if _can_be_called(self._profile):
                    end_profile()
                else:  # a profiler written in C, which cannot be given back
                    self._profile = None
            self._trace = trace()
            if self._trace is not None:
                end_trace()
            self._recursion = _raised_recursion_limit()


def _raised_recursion_limit():
    limit = getrecursionlimit()
    if limit >= _LEAST_RECURSION:
        return None
    setrecursionlimit(_LEAST_RECURSION)
    return limit
