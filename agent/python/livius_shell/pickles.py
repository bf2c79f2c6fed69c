"""Jobs and their results as clients pickle them: by cloudpickle, under the name that it has on their side."""

import importlib
import io
import pickle
import sys
import types

# The newest that every Python 3 can read: the client's may be older than this one.
PROTOCOL = 4

_NAME = "cloudpickle"

# Version 2 has in the one what version 3 has in the other, and finds here too.
_SLOW, _FAST = "cloudpickle.cloudpickle", "cloudpickle.cloudpickle_fast"


class UnreadableJob(Exception):
    """What was sent is no job, or none for this Python."""

    __module__ = "builtins"  # tracebacks leave the name of this module out


class _Unpickler(pickle.Unpickler):
    """Finds cloudpickle's functions wherever they are: it need not be installed but for PySpark's copy, and the client's version
    may be another one.
    """

    def find_class(self, module, name):
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            if module.partition(".")[0] != _NAME:
                raise
        for place in ("pyspark." + module, _FAST, "pyspark." + _FAST):
            try:
                return super().find_class(place, name)
            except (ImportError, AttributeError):
                pass
        raise AttributeError("neither this Python's cloudpickle nor PySpark's has '{}'".format(name))


def load(payload):
    """The function of a job."""
    try:
        return _Unpickler(io.BytesIO(payload), encoding="bytes").load()
    except Exception as error:
        raise UnreadableJob(
            "the job cannot be unpickled by this session's Python {}. The client's Python must be of the same minor version, and "
            "modules that the job imports must be here too, brought by add_pyfile or upload_pyfile".format(sys.version.split()[0])
        ) from error


def dump(result):
    """The pickle of a result. Its names are those that cloudpickle's versions 2 and 3 both know, as the client may have either,
    and need not have PySpark.
    """
    source = _cloudpickle()

    class Pickler(source.CloudPickler):
        def reducer_override(self, value):
            module = getattr(value, "__module__", None)
            is_function = isinstance(value, types.FunctionType) and isinstance(module, str)
            if is_function and module.startswith(source.__name__ + "."):
                name = value.__qualname__
                return getattr, (_Module(_FAST if name.endswith("_setstate") else _SLOW), name)
            return super().reducer_override(value)

    body = io.BytesIO()
    Pickler(body, protocol=PROTOCOL).dump(result)
    return body.getvalue()


def _cloudpickle():
    try:
        return importlib.import_module(_NAME)
    except ModuleNotFoundError:
        return importlib.import_module("pyspark." + _NAME)


class _Module:
    """Stands in a pickle for a module of the client's."""

    def __init__(self, name):
        self._name = name

    def __reduce__(self):
        return importlib.import_module, (self._name,)
