"""`%json` and `%table` of every sort of scalar with every sort of missing value, in lists and in frames of pandas."""

import datetime
import decimal
import json
import unittest

from livius_shell import frames, tables, values
from livius_shell.channel import encode

try:
    import numpy as np
    import pandas as pd
except ImportError:  # not in every environment of the tests
    pd = None

NAN, INFINITY = float("nan"), float("inf")

# A scalar, the type of its column, and how a table shows it.
SCALARS = [
    (True, "BOOLEAN_TYPE", True),
    (7, "INT_TYPE", 7),
    (1.5, "DOUBLE_TYPE", 1.5),
    ("x", "STRING_TYPE", "x"),
    (b"\x00\x01", "STRING_TYPE", "AAE="),
    (decimal.Decimal("1.50"), "DECIMAL_TYPE", "1.50"),
    (datetime.date(2020, 1, 2), "DATE_TYPE", "2020-01-02"),
    (datetime.datetime(2020, 1, 2, 3), "TIMESTAMP_TYPE", "2020-01-02 03:00:00"),
    (datetime.time(3, 4), "STRING_TYPE", "03:04:00"),
]


def column(table, at=0):
    return table["headers"][at]["type"], [row[at] for row in table["data"]]


def table(value):
    return json.loads(encode(tables.to_table(value, 100, [])).decode())


def shown(value):
    return json.loads(encode(values.to_json(value, 100, [])).decode())


class Lists(unittest.TestCase):
    def test_missing_values_change_no_type(self):
        for value, kind, text in SCALARS:
            for first in (True, False):
                cells = [None, value] if first else [value, None]
                with self.subTest(value=value):
                    self.assertEqual(column(table(cells)), (kind, [None, text] if first else [text, None]))

    def test_nan_is_a_number_among_numbers_and_missing_elsewhere(self):
        for value, kind, text in SCALARS:
            with self.subTest(value=value):
                expected = ("DOUBLE_TYPE", [text, "NaN"]) if kind in ("INT_TYPE", "DOUBLE_TYPE") else (kind, [text, None])
                self.assertEqual(column(table([value, NAN])), expected)
                self.assertEqual(column(table([NAN, value])), (expected[0], expected[1][::-1]))

    def test_numbers_that_json_lacks_are_doubles(self):
        cells = [1.5, None, NAN, INFINITY, -INFINITY]
        self.assertEqual(column(table(cells)), ("DOUBLE_TYPE", [1.5, None, "NaN", "Infinity", "-Infinity"]))
        self.assertEqual(column(table([NAN, None])), ("DOUBLE_TYPE", ["NaN", None]))

    def test_integers_among_fractions_keep_their_digits(self):
        self.assertEqual(column(table([1, 0.5, 2**60 + 1])), ("DOUBLE_TYPE", [1.0, 0.5, 2**60 + 1]))
        self.assertEqual(column(table([10**400, 0.5])), ("DOUBLE_TYPE", [10**400, 0.5]))

    def test_integers_of_any_size(self):
        self.assertEqual(shown([10**5000, -(10**5000)]), ["1" + "0" * 5000, "-1" + "0" * 5000])
        self.assertEqual(shown(10**900), 10**900)
        self.assertEqual(column(table([1, 10**5000])), ("INT_TYPE", [1, "1" + "0" * 5000]))

    def test_other_mixtures_are_refused(self):
        for cells in ([1, "x"], [True, 1], ["x", INFINITY], [decimal.Decimal(1), 1]):
            with self.subTest(cells=cells), self.assertRaises(TypeError):
                table(cells)

    def test_cells_with_fields_of_several_types(self):
        self.assertEqual(column(table([[{"a": 1, "b": "x"}]])), ("MAP_TYPE", [{"a": 1, "b": "x"}]))
        self.assertEqual(column(table([[[1, "x"]]])), ("ARRAY_TYPE", [[1, "x"]]))

    def test_keys_that_are_equal_as_texts(self):
        self.assertEqual(shown({1: "a", "1": "b"}), {"1": "a", "1_2": "b"})
        self.assertEqual(shown({1: "a", "1": "b", "1_2": "c"}), {"1": "a", "1_3": "b", "1_2": "c"})

    def test_rows_with_fields_of_one_name(self):
        row = type("Row", (tuple,), {"__fields__": ["a", "a"]})([1, 2])
        self.assertEqual(shown(row), {"a": 1, "a_2": 2})
        self.assertEqual(table([row])["data"], [[1, 2]])

    def test_values_that_contain_themselves(self):
        endless = []
        endless.append(endless)
        around = {}
        around["a"] = {"b": around}
        deep = []
        for _ in range(10000):
            deep = [deep]
        for value in (endless, around, deep, [[deep]]):
            with self.assertRaises(RecursionError):
                shown(value)
            with self.assertRaises(RecursionError):
                table([[value]])

    def test_a_hundred_levels(self):
        deep = 1
        for _ in range(100):
            deep = [deep]
        self.assertEqual(shown(deep), deep)


class Texts(str):
    """A text that shows itself in its own way."""

    def __str__(self):
        raise ValueError


class OddValues(unittest.TestCase):
    def test_texts_of_other_classes(self):
        self.assertEqual(shown([Texts("x"), {Texts("k"): 1}]), ["x", {"k": 1}])

    def test_times_that_show_themselves_in_their_own_way(self):
        class Day(datetime.date):
            def isoformat(self):
                return b"\xff"

        self.assertEqual(shown(Day(2020, 1, 2)), "b'\\xff'")


@unittest.skipIf(pd is None, "needs pandas")
class Pandas(unittest.TestCase):
    def test_missing_values_in_columns(self):
        missing = [None, NAN, pd.NaT, pd.NA]
        for value, kind, text in SCALARS:
            for gone in missing:
                if kind in ("INT_TYPE", "DOUBLE_TYPE") and gone is NAN:
                    continue  # it is a number like others
                frame = pd.DataFrame({"c": pd.Series([value, gone, value], dtype=object)})
                with self.subTest(value=value, gone=gone):
                    self.assertEqual(column(table(frame)), (kind, [text, None, text]))
                    self.assertIsNone(shown(frame)[1]["c"])

    def test_columns_as_pandas_makes_them(self):
        cases = [
            (["x", None], "STRING_TYPE", ["x", None]),
            ([1.5, None], "DOUBLE_TYPE", [1.5, "NaN"]),
            ([1, None], "DOUBLE_TYPE", [1.0, "NaN"]),
            ([1.5, NAN, INFINITY, -INFINITY], "DOUBLE_TYPE", [1.5, "NaN", "Infinity", "-Infinity"]),
            ([NAN, NAN], "DOUBLE_TYPE", ["NaN", "NaN"]),
            ([True, None], "BOOLEAN_TYPE", [True, None]),
            (pd.Series([NAN, NAN], dtype=object), "NULL_TYPE", [None, None]),
            (pd.Series([1, None], dtype="Int64"), "INT_TYPE", [1, None]),
            (pd.Series([1.5, None], dtype="Float64"), "DOUBLE_TYPE", [1.5, None]),
            (pd.Series([True, None], dtype="boolean"), "BOOLEAN_TYPE", [True, None]),
            (pd.Series(["x", None], dtype="string"), "STRING_TYPE", ["x", None]),
            (pd.Series(["x", None], dtype="category"), "STRING_TYPE", ["x", None]),
            (pd.Series([1.5, None], dtype="category"), "DOUBLE_TYPE", [1.5, "NaN"]),
            (pd.to_datetime(pd.Series(["2020-01-02", None])), "TIMESTAMP_TYPE", ["2020-01-02 00:00:00", None]),
            (pd.to_timedelta(pd.Series(["1 days", None])), "STRING_TYPE", ["1 days 00:00:00", None]),
            (pd.Series([np.float32(1.5), np.float32("nan")]), "DOUBLE_TYPE", [1.5, "NaN"]),
        ]
        for made, kind, cells in cases:
            frame = pd.DataFrame({"c": made})
            with self.subTest(frame=frame):
                self.assertEqual(column(table(frame)), (kind, cells))

    def test_json_and_table_agree_on_missing_texts(self):
        frame = pd.DataFrame({"n": [1, 2], "t": ["x", None]}).merge(pd.DataFrame({"n": [1], "u": ["y"]}), how="left")
        self.assertEqual(shown(frame), [{"n": 1, "t": "x", "u": "y"}, {"n": 2, "t": None, "u": None}])
        self.assertEqual(table(frame)["data"], [[1, "x", "y"], [2, None, None]])

    def test_scalars_of_numpy_and_pandas(self):
        cells = [np.int64(1), np.float64("nan"), pd.NA, None]
        self.assertEqual(column(table(cells)), ("DOUBLE_TYPE", [1.0, "NaN", None, None]))
        times = [np.datetime64("NaT"), np.datetime64("2020-01-02"), pd.NaT, np.bool_(True)]
        self.assertEqual(shown(times), [None, "2020-01-02", None, True])
        self.assertEqual(shown(np.array(["2020-01-02", "NaT"], dtype="M8[D]")), ["2020-01-02", None])
        self.assertEqual(shown(pd.Timestamp("2020-01-02T03:04:05.123456789")), "2020-01-02T03:04:05.123456789")
        self.assertEqual(shown(pd.Series(pd.to_datetime(["2020-01-02", None]))), ["2020-01-02T00:00:00", None])

    def test_an_index_that_says_something_is_a_column(self):
        frame = pd.DataFrame({"k": ["a", "a", "b"], "l": [1, 2, 2], "v": [1, 2, 3]})
        cases = [
            (frame, ["k", "l", "v"], ["a", 1, 1]),
            (frame.groupby("k")[["v"]].sum(), ["k", "v"], ["a", 3]),
            (frame.groupby(["k", "l"])[["v"]].sum(), ["k", "l", "v"], ["a", 1, 1]),
            (frame[["v"]].describe(), ["index", "v"], ["count", 3.0]),
            (frame[frame.v > 1], ["index", "k", "l", "v"], [1, "a", 2, 2]),
            (frame.set_index("k").reset_index(), ["k", "l", "v"], ["a", 1, 1]),
            (frame.pivot_table(index="k", columns="l", values="v", aggfunc="sum"), ["k", "1", "2"], ["a", 1.0, 2.0]),
            (frame.rename_axis("k"), ["k", "k", "l", "v"], [0, "a", 1, 1]),
        ]
        for each, names, first in cases:
            with self.subTest(names=names):
                made = table(each)
                self.assertEqual(([header["name"] for header in made["headers"]], made["data"][0]), (names, first))
                self.assertEqual(shown(each)[0], dict(zip(values.unique(names), first)))

    def test_a_series_with_labels_is_a_frame(self):
        frame = pd.DataFrame({"k": ["a", "a", "b"], "v": [1, 2, 3]})
        self.assertEqual(shown(frame.groupby("k")["v"].sum()), [{"k": "a", "v": 3}, {"k": "b", "v": 3}])
        self.assertEqual(shown(frame["k"].value_counts())[0], {"k": "a", "count": 2})
        self.assertEqual(shown(frame["v"]), [1, 2, 3])
        self.assertEqual(column(table(frame["v"])), ("INT_TYPE", [1, 2, 3]))
        self.assertEqual(shown(pd.Series({"x": 1})), [{"index": "x", "0": 1}])

    def test_columns_of_one_name(self):
        frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a_2"])
        self.assertEqual(shown(frame), [{"a": 1, "a_3": 2, "a_2": 3}])
        self.assertEqual([header["name"] for header in table(frame)["headers"]], ["a", "a", "a_2"])

    def test_frames_without_rows_or_columns(self):
        self.assertEqual(shown(pd.DataFrame()), [])
        self.assertEqual(table(pd.DataFrame()), {"headers": [], "data": []})
        self.assertEqual(shown(pd.DataFrame({"a": []})), [])

    def test_a_class_that_extends_a_frame(self):
        class Wide(pd.DataFrame):
            pass

        self.assertEqual(shown(Wide({"a": [1]})), [{"a": 1}])
        self.assertIsNotNone(frames.frame_of(Wide()))
