"""`%json`, `%table` and `%matplot`: values shown as data instead of text."""

import collections

from . import plots, tables, values
from .errors import UnknownMagic

# `data` maps MIME types to JSON values; `notes` go to the driver's log.
Result = collections.namedtuple("Result", "data notes")

NOTHING = Result({}, [])


def run(magic, evaluate, limits):
    """The magic's result. `evaluate` returns the value of a user's expression."""
    if not magic.name:
        raise UnknownMagic("magic command not specified")
    if magic.name not in _MAGICS:
        raise UnknownMagic("unknown magic command '{}'".format(magic.name))
    return _MAGICS[magic.name](magic.argument, evaluate, limits)


def _json(argument, evaluate, limits):
    notes = []
    value = _value("json", argument, evaluate)
    return Result({"application/json": values.to_json(value, limits.rows, notes)}, notes)


def _table(argument, evaluate, limits):
    notes = []
    value = _value("table", argument, evaluate)
    return Result({"application/vnd.livy.table.v1+json": tables.to_table(value, limits.rows, notes)}, notes)


def _matplot(argument, evaluate, limits):
    return Result(plots.take(_value("matplot", argument, evaluate)), [])


def _matplotlib(argument, evaluate, limits):
    """`%matplotlib inline` is a habit from notebooks, where plots appear by themselves. Here plots do too."""
    return NOTHING


def _value(magic, argument, evaluate):
    if not argument:
        raise ValueError("%{} needs an expression, as in: %{} name".format(magic, magic))
    return evaluate(argument)


_MAGICS = {"json": _json, "table": _table, "matplot": _matplot, "matplotlib": _matplotlib}
