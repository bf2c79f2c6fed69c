"""Jobs and their results as clients pickle them: by cloudpickle, under the client's module names."""

import importlib
import io
import pickle
import sys
import types

# The newest protocol that every Python 3 can read: the client's Python may be older than this one.
PROTOCOL = 4

_NAME = "cloudpickle"

# Versions 2 and 3 keep the same names in different modules.
_SLOW, _FAST = "cloudpickle.cloudpickle", "cloudpickle.cloudpickle_fast"


class UnreadableJob(Exception):
    """The payload is not a job, or not one for this Python."""

    __module__ = "builtins"  # tracebacks leave the name of this module out


class _Unpickler(pickle.Unpickler):
    """Finds cloudpickle's functions in any of its modules. Perhaps only PySpark's copy is installed, and the client may have
    another version.
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
    """The pickle of a result. It uses names that cloudpickle's versions 2 and 3 both know: the client may have either, and may
    lack PySpark.
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
    """Stands for a client's module in a pickle."""

    def __init__(self, name):
        self._name = name

    def __reduce__(self):
        return importlib.import_module, (self._name,)
