"""Converts values to Livy's tables: `{"headers": [{"name": …, "type": …}], "data": [[…]]}`."""

import datetime
import decimal

from . import values


def to_table(value, rows, notes):
    """A list (of rows, dicts, lists or single values) or a DataFrame as a table; any other value is its only row."""
    value = values.plain(value)
    if values.is_frame(value):
        names, records = values.records_of(value, rows, notes)
        return _table(range(len(names)), names, [dict(enumerate(record)) for record in records])
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
        return dict(zip(row.__fields__, row))
    if isinstance(row, dict):
        return row
    return dict(enumerate(row)) if isinstance(row, (list, tuple)) else {0: row}


def _table(columns, names, records):
    types = {column: _column_type(column, records) for column in columns}
    headers = [{"name": values.key(name), "type": types[column]} for column, name in zip(columns, names)]
    data = [[_as(types[column], _typed(record.get(column))) for column in columns] for record in records]
    return {"headers": headers, "data": data}


def _column_type(column, records):
    found = {_typed(record.get(column))[0] for record in records} - {"NULL_TYPE"}
    if found == {"INT_TYPE", "DOUBLE_TYPE"}:
        return "DOUBLE_TYPE"
    if len(found) > 1:
        raise TypeError("table rows have different types")
    return found.pop() if found else "NULL_TYPE"


def _as(column_type, typed):
    own_type, value = typed
    return float(value) if column_type == "DOUBLE_TYPE" and own_type == "INT_TYPE" else value


def _typed(value):
    """A cell's type and its value as JSON."""
    value = values.plain(value)
    if values.is_row(value):
        value = value.asDict()
    if isinstance(value, (list, tuple)):
        return "ARRAY_TYPE", values.to_json(value, 0, [])
    if isinstance(value, dict):
        return "MAP_TYPE", values.to_json(value, 0, [])
    for python_type, name in _TYPES:
        if isinstance(value, python_type):
            return name, str(value) if name in _AS_TEXT else values.to_json(value, 0, [])
    return "STRING_TYPE", values.clean(str(value))


# In order: a bool is an int as well, and a datetime a date.
_TYPES = [
    (type(None), "NULL_TYPE"),
    (bool, "BOOLEAN_TYPE"),
    (int, "INT_TYPE"),
    (float, "DOUBLE_TYPE"),
    (str, "STRING_TYPE"),
    ((bytes, bytearray), "STRING_TYPE"),
    (datetime.datetime, "TIMESTAMP_TYPE"),
    (datetime.date, "DATE_TYPE"),
    (decimal.Decimal, "DECIMAL_TYPE"),
]

_AS_TEXT = {"TIMESTAMP_TYPE", "DATE_TYPE", "DECIMAL_TYPE"}
