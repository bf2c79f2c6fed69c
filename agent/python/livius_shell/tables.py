"""Converts values to Livy's tables: `{"headers": [{"name": …, "type": …}], "data": [[…]]}`."""

import datetime
import decimal

from . import frames, values


def to_table(value, rows, notes):
    """A list (of rows, dicts, lists or single values) or a DataFrame as a table; any other value is its only row."""
    frame = frames.frame_of(value)
    if frame is not None:
        names, records = frames.records_of(frame, rows, notes)
        return _table(range(len(names)), names, [dict(enumerate(record)) for record in records])
    value = values.plain(value)
    if not isinstance(value, (list, tuple)) or values.is_row(value):
        value = [value]
    records = [_record(row) for row in value]
    columns = sorted({name for record in records for name in record}, key=_order)
    return _table(columns, columns, records)


def _order(name):
    """Numbers by value before texts, so that columns of different kinds can be sorted at all."""
    return (0, name, "") if isinstance(name, (int, float)) else (1, 0, str(name))


def _record(row):
    row = values.plain(row)
    if values.is_row(row):
        return dict(zip(values.unique(row.__fields__), row))
    if isinstance(row, dict):
        return row
    return dict(enumerate(row)) if isinstance(row, (list, tuple)) else {0: row}


def _table(columns, names, records):
    made = [_column([record.get(column) for record in records]) for column in columns]
    headers = [{"name": values.key(name), "type": kind} for name, (kind, _) in zip(names, made)]
    return {"headers": headers, "data": [[cells[at] for _, cells in made] for at in range(len(records))]}


def _column(cells):
    """A column's type, and its cells as JSON. In a column of anything but numbers, NaN is a missing value."""
    typed = [_typed(cell) for cell in cells]
    found = {name for name, _ in typed}
    others = found - {_NULL, _NAN}
    if others - _NUMBERS:
        if len(others) > 1:
            raise TypeError("table rows have different types")
        return others.pop(), [None if name == _NAN else cell for name, cell in typed]
    if found & {_NAN, _DOUBLE}:
        return _DOUBLE, [_as_double(name, cell) for name, cell in typed]
    return _INT if others else _NULL, [cell for _, cell in typed]


def _as_double(name, cell):
    """An integer among fractions, unless a float would lose digits of it."""
    if name != _INT or abs(cell) > 1 << 53:
        return cell
    return float(cell)


def _typed(value):
    """A cell's type and its value as JSON."""
    value = values.plain(value)
    if isinstance(value, dict) or values.is_row(value):
        return "MAP_TYPE", values.to_json(value, 0, [])
    if isinstance(value, (list, tuple)):
        return "ARRAY_TYPE", values.to_json(value, 0, [])
    if isinstance(value, float) and frames.is_nan(value):
        return _NAN, "NaN"
    for python_type, name in _TYPES:
        if isinstance(value, python_type):
            return name, values.clean(str(value)) if name in _AS_TEXT else values.to_json(value, 0, [])
    return "STRING_TYPE", values.clean(str(value))


_NULL, _INT, _DOUBLE = "NULL_TYPE", "INT_TYPE", "DOUBLE_TYPE"
_NUMBERS = {_INT, _DOUBLE}
_NAN = "NaN"  # a cell that has no type of its own

# In order: a bool is an int as well, and a datetime a date.
_TYPES = [
    (type(None), _NULL),
    (bool, "BOOLEAN_TYPE"),
    (int, _INT),
    (float, _DOUBLE),
    (str, "STRING_TYPE"),
    ((bytes, bytearray), "STRING_TYPE"),
    (datetime.datetime, "TIMESTAMP_TYPE"),
    (datetime.date, "DATE_TYPE"),
    (decimal.Decimal, "DECIMAL_TYPE"),
]

_AS_TEXT = {"TIMESTAMP_TYPE", "DATE_TYPE", "DECIMAL_TYPE"}
