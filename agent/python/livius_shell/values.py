"""Values of the user's code as JSON that every reader understands."""

import base64
import datetime
import decimal
import math

from . import frames
from .text import clean

# Readers of JSON have limits of their own.
DEEPEST = 100
MOST_BITS = 3300  # about 990 digits


def to_json(value, rows, notes, depth=0):
    """Any value as JSON: a value without a JSON form is written as text. At most `rows` rows of a Spark DataFrame."""
    value = plain(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, str):
        return clean(str.__str__(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else special_float(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return clean(str(value.isoformat()))
    if isinstance(value, decimal.Decimal):
        return clean(str(value))
    if depth > DEEPEST:
        raise RecursionError("the value has more than {} levels, or contains itself".format(DEEPEST))
    return _composed(value, lambda item: to_json(item, rows, notes, depth + 1), rows, notes)


def _composed(value, inner, rows, notes):
    frame = frames.frame_of(value)
    if frame is not None:
        names, records = frames.records_of(frame, rows, notes)
        return [_object(names, record, inner) for record in records]
    if is_row(value):
        return _object(value.__fields__, value, inner)
    if isinstance(value, dict):
        return _object(list(value), value.values(), inner)
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [inner(item) for item in value]
    raise TypeError("Object of type {} is not JSON serializable".format(type(value).__name__))


def _object(names, cells, inner):
    return {name: inner(cell) for name, cell in zip(unique(names), cells)}


def _integer(value):
    """A longer number is a text. Python itself refuses to make one of more than 4300 digits, but its decimals do not."""
    return value if int.bit_length(value) <= MOST_BITS else format(decimal.Decimal(int(value)), "f")


def plain(value):
    """The built-in value that stands for one of numpy's or pandas', and any other value as it is."""
    library = type(value).__module__.partition(".")[0]
    if library not in ("numpy", "pandas") or frames.frame_of(value) is not None:
        return value
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if isinstance(value, datetime.datetime):  # pandas' time stamps, with their nanoseconds
        return value
    if library == "numpy" and getattr(getattr(value, "dtype", None), "kind", "") in ("M", "m"):
        return _numpy_times(value)
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _numpy_times(value):
    """Times of numpy as texts: as plain values they would become bare numbers."""

    def named(text):
        return [named(item) for item in text] if isinstance(text, list) else None if text == "NaT" else text

    return named(value.astype(str).tolist())


def special_float(number):
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def key(name):
    """A key as Python's own json writes it."""
    if isinstance(name, str):
        return clean(str.__str__(name))
    if name is None or isinstance(name, bool):
        return {None: "null", True: "true", False: "false"}[name]
    return clean(str(name))


def unique(names):
    """The names as keys of one object. Where two are equal, the second becomes `name_2`, so that no value is lost."""
    texts = [key(name) for name in names]
    taken = set(texts)
    if len(taken) == len(texts):
        return texts
    made, counts = [], {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
        if counts[text] > 1:
            while "{}_{}".format(text, counts[text]) in taken:
                counts[text] += 1
            text = "{}_{}".format(text, counts[text])
            taken.add(text)
        made.append(text)
    return made


def is_row(value):
    return isinstance(value, tuple) and hasattr(value, "__fields__")
