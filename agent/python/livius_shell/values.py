"""Values of the user's code as JSON that every reader understands."""

import base64
import datetime
import decimal
import itertools
import math

from .text import clean


def to_json(value, rows, notes):
    """Any value as JSON: a value without a JSON form is written as text. At most `rows` rows of a Spark DataFrame."""
    value = plain(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return clean(str(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else special_float(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if is_frame(value):
        names, records = records_of(value, rows, notes)
        return [{key(name): to_json(cell, rows, notes) for name, cell in zip(names, record)} for record in records]
    if is_row(value):
        return {key(name): to_json(cell, rows, notes) for name, cell in zip(value.__fields__, value)}
    if isinstance(value, dict):
        return {key(name): to_json(cell, rows, notes) for name, cell in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [to_json(item, rows, notes) for item in value]
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError("Object of type {} is not JSON serializable".format(type(value).__name__))


def plain(value):
    """The built-in value that stands for one of numpy's or pandas', and any other value as it is."""
    library = type(value).__module__.partition(".")[0]
    if library not in ("numpy", "pandas") or is_frame(value):
        return value
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if hasattr(value, "to_pydatetime") and not hasattr(value, "tolist"):
        return value.to_pydatetime(warn=False)
    if getattr(getattr(value, "dtype", None), "kind", "") in ("M", "m"):
        value = value.astype(str)  # numpy's times would become bare numbers
    return value.tolist() if hasattr(value, "tolist") else str(value)


def special_float(number):
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def key(name):
    """A key as Python's own json writes it."""
    if isinstance(name, str):
        return clean(str(name))
    if name is None or isinstance(name, bool):
        return {None: "null", True: "true", False: "false"}[name]
    return clean(str(name))


def is_row(value):
    return isinstance(value, tuple) and hasattr(value, "__fields__")


def is_frame(value):
    """A table that knows its columns: a DataFrame of Spark's, of pandas on Spark, or of pandas."""
    return type(value).__name__ == "DataFrame" and hasattr(value, "columns")


def records_of(frame, rows, notes):
    """The names of a frame's columns and its rows as tuples."""
    names = list(frame.columns)
    if hasattr(frame, "itertuples"):
        records = list(itertools.islice(frame.itertuples(index=False, name=None), rows + 1 if _is_lazy(frame) else None))
    else:
        records = [tuple(row) for row in frame.take(rows + 1)]
    if _is_lazy(frame) and len(records) > rows:
        notes.append("a DataFrame was cut at {} rows".format(rows))
        records = records[:rows]
    return names, records


def _is_lazy(frame):
    """Whether the rows are in the cluster, and may be more than fits here."""
    return type(frame).__module__.startswith("pyspark.")
