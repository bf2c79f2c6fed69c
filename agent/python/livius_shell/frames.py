"""Tables that know their columns: DataFrames of Spark, of pandas on Spark and of pandas, and their Series."""

import itertools
import numbers


def frame_of(value):
    """The value as a DataFrame, or None if it is none. A Series of pandas is one if its index says more than the position."""
    if _is_a(value, "DataFrame") and hasattr(value, "columns"):
        return value
    if _is_a(value, "Series") and (_library(value) == "pyspark" or (_library(value) == "pandas" and _index_names(value))):
        return value.to_frame()
    return None


def records_of(frame, rows, notes):
    """The names of a frame's columns, and its rows as tuples. At most `rows` rows of one that is in the cluster."""
    lazy = _library(frame) == "pyspark"
    if hasattr(frame, "itertuples"):
        index = _index_names(frame)
        names = index + list(frame.columns)
        found = frame.itertuples(index=bool(index), name=None)
        records = [_flat(record, len(index)) for record in itertools.islice(found, rows + 1 if lazy else None)]
        floats = [False] * len(index) + [_is_float(kind) for kind in frame.dtypes]
        records = _without_missing(records, floats)
    else:
        names = list(frame.columns)
        records = [tuple(row) for row in _taken(frame, rows + 1)]
    if lazy and len(records) > rows:
        notes.append("a DataFrame was cut at {} rows".format(rows))
        records = records[:rows]
    return names, records


def is_nan(value):
    return isinstance(value, numbers.Real) and value != value


def _is_a(value, name):
    return any(base.__name__ == name for base in type(value).__mro__)


def _library(value):
    return next((base.__module__.partition(".")[0] for base in type(value).__mro__ if base.__name__ in ("DataFrame", "Series")), "")


def _index_names(frame):
    """The names of the index's columns, as `reset_index` gives them. None at all for an index that only counts the rows."""
    index = frame.index
    names = list(index.names)
    if any(name is not None for name in names):
        return ["level_{}".format(level) if name is None else name for level, name in enumerate(names)]
    if len(names) > 1:
        return ["level_{}".format(level) for level in range(len(names))]
    return [] if _only_counts(index) else ["index"]


def _only_counts(index):
    if type(index).__module__.startswith("pyspark."):  # its values are in the cluster
        return getattr(index.dtype, "kind", "") == "i"
    return type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1


def _flat(record, levels):
    """A row in which an index of several levels comes as one tuple."""
    return record if levels < 2 else tuple(record[0]) + record[1:]


def _is_float(kind):
    return getattr(kind, "kind", "") == "f"


def _without_missing(records, floats):
    """In a column of anything but numbers, pandas marks a missing value with NaN."""
    missing = [not float_column and _lacks_numbers(records, at) for at, float_column in enumerate(floats)]
    if not any(missing):
        return records
    return [tuple(None if gone and is_nan(cell) else cell for gone, cell in zip(missing, record)) for record in records]


def _lacks_numbers(records, at):
    """Whether the column has NaN, and no number besides it."""
    cells = [record[at] for record in records if isinstance(record[at], numbers.Real) and not isinstance(record[at], bool)]
    return bool(cells) and all(is_nan(cell) for cell in cells)


def _taken(frame, count):
    try:
        return frame.take(count)
    except (ValueError, OverflowError):
        readable = _without_times(frame)
        if readable is None:
            raise
        return readable.take(count)


def _without_times(frame):
    """The frame with text in the place of its dates and times, which may lie outside of Python's years 1 to 9999."""
    kinds = [field.dataType for field in frame.schema.fields]
    texts = [_time_as_text(kind) for kind in kinds]
    if kinds == texts:
        return None
    names = ["c{}".format(at) for at in range(len(kinds))]  # because a name may occur twice
    plain = frame.toDF(*names)
    cast = [plain[name] if kind == text else plain[name].cast(text) for name, kind, text in zip(names, kinds, texts)]
    return plain.select(*cast).toDF(*frame.columns)


def _time_as_text(kind):
    from pyspark.sql import types  # it is there: the frame is PySpark's

    if type(kind).__name__ in ("DateType", "TimestampType", "TimestampNTZType"):
        return types.StringType()
    if isinstance(kind, types.ArrayType):
        return types.ArrayType(_time_as_text(kind.elementType), kind.containsNull)
    if isinstance(kind, types.MapType):
        return types.MapType(_time_as_text(kind.keyType), _time_as_text(kind.valueType), kind.valueContainsNull)
    if isinstance(kind, types.StructType):
        return types.StructType([types.StructField(f.name, _time_as_text(f.dataType), f.nullable) for f in kind.fields])
    return kind
