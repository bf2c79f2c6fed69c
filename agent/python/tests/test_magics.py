import builtins
import datetime
import json
import unittest

from livius_shell import completion, values
from livius_shell.channel import encode
from tests.session import Session

JSON = "application/json"
TABLE = "application/vnd.livy.table.v1+json"


class Magics(unittest.TestCase):
    def setUp(self):
        self.session = Session()

    def test_the_last_part_wins(self):
        self.assertEqual(self.session.data("%json [1]"), {JSON: [1]})
        self.assertEqual(self.session.run("%json [1]\nprint(2)"), ({"data": {}, "notes": []}, "2\n"))
        self.assertEqual(self.session.run("print(2)\n%json [1]"), ({"data": {JSON: [1]}, "notes": []}, "2\n"))

    def test_valid_python_has_no_magics(self):
        self.assertEqual(self.session.printed("(7\n% 4)"), "3\n")

    def test_a_line_in_a_text_is_no_magic(self):
        self.assertEqual(self.session.data('s = """\n%json\n"""\n%json s'), {JSON: "\n%json\n"})

    def test_a_syntax_error_before_a_magic_runs_nothing(self):
        reply, printed = self.session.run("print(1)\n%json 1\nx = = 2")
        self.assertEqual((reply["error"]["ename"], printed), ("SyntaxError", ""))
        self.assertIn("line 3", reply["error"]["evalue"])

    def test_unknown_ones(self):
        self.assertEqual(self.session.error("%")[:2], ("UnknownMagic", "magic command not specified"))
        self.assertEqual(self.session.error("%foo x")[:2], ("UnknownMagic", "unknown magic command 'foo'"))
        self.assertEqual(self.session.error("%json nowhere")[0], "NameError")
        self.assertEqual(self.session.error("%json")[0], "ValueError")

    def test_any_space_separates_the_name_from_the_expression(self):
        for code in ("%json\t[1]", "%json \t [1] \t", "% json [1]", "%\tjson\t[1]", "%json\xa0[1]", "%json\t[1]\r\n"):
            self.assertEqual(self.session.data(code), {JSON: [1]}, repr(code))
        self.assertEqual(self.session.error("%json-x 1")[:2], ("UnknownMagic", "unknown magic command 'json-x'"))

    def test_habits_from_notebooks(self):
        self.assertEqual(self.session.data("%matplotlib inline"), {})

    def test_magics_see_what_the_code_before_them_did(self):
        self.assertEqual(self.session.data("x = {'a': 1}\n%json x"), {JSON: {"a": 1}})


class Values(unittest.TestCase):
    def json(self, value):
        return json.loads(encode(values.to_json(value, 10, [])).decode())

    def test_numbers_that_json_does_not_have(self):
        self.assertEqual(self.json([float("nan"), float("inf"), -float("inf")]), ["NaN", "Infinity", "-Infinity"])

    def test_keys_become_texts(self):
        self.assertEqual(self.json({1: 2, None: 3, False: 4, (1, 2): 5}), {"1": 2, "null": 3, "false": 4, "(1, 2)": 5})

    def test_other_types(self):
        self.assertEqual(self.json([b"\x00\x01", datetime.date(2020, 1, 2), {3}, "\ud800"]), ["AAE=", "2020-01-02", [3], "\\ud800"])

    def test_what_has_no_json_is_an_error(self):
        self.assertEqual(Session().error("%json object()")[0], "TypeError")
        self.assertEqual(Session().error("a = []; a.append(a)\n%json a")[0], "RecursionError")


class Tables(unittest.TestCase):
    def table(self, expression):
        return Session().data("import datetime, decimal\n%table " + expression)[TABLE]

    def types(self, expression):
        return [header["type"] for header in self.table(expression)["headers"]]

    def test_lists_dicts_and_single_values(self):
        self.assertEqual(self.table("5"), {"headers": [{"name": "0", "type": "INT_TYPE"}], "data": [[5]]})
        self.assertEqual(self.table("[(1, 'a'), (2, None)]")["data"], [[1, "a"], [2, None]])
        table = self.table("[{'b': 1, 'a': 2}]")
        self.assertEqual([header["name"] for header in table["headers"]], ["a", "b"])
        self.assertEqual(table["data"], [[2, 1]])

    def test_types(self):
        row = "[[None, True, 1, 1.5, 'x', datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2), decimal.Decimal('1.0')]]"
        names = ["NULL", "BOOLEAN", "INT", "DOUBLE", "STRING", "DATE", "TIMESTAMP", "DECIMAL"]
        self.assertEqual(self.types(row), [name + "_TYPE" for name in names])
        self.assertEqual(self.table(row)["data"][0][5:], ["2020-01-02", "2020-01-02 00:00:00", "1.0"])

    def test_nothing_fits_every_type(self):
        self.assertEqual(self.types("[[None], [1]]"), ["INT_TYPE"])
        self.assertEqual(self.types("[[1], [1.5]]"), ["DOUBLE_TYPE"])

    def test_mixed_types_are_refused(self):
        self.assertEqual(Session().error("%table [[1], ['a']]")[:2], ("TypeError", "table rows have different types"))

    def test_rows_of_different_columns_are_aligned(self):
        self.assertEqual(self.table("[{'a': 1}, {'b': 2}]")["data"], [[1, None], [None, 2]])


class Completion(unittest.TestCase):
    def test_names_and_members(self):
        namespace = {"alpha": "text", "alps": 1}
        self.assertEqual(completion.candidates(namespace, "x = alp"), ["alpha", "alps"])
        self.assertEqual(completion.candidates(namespace, "alpha.upp"), ["upper"])
        self.assertIn("print", completion.candidates(namespace, "pri"))

    def test_names_that_cannot_be_typed(self):
        class Odd:
            def __dir__(self):
                raise SystemExit

        namespace = {"al": 1, "al\ud800": 2, "al pha": 3, "al" * 1000: 4, 5: 6, None: 7, "odd": Odd()}
        self.assertEqual(completion.candidates(namespace, "al")[0], "al")
        self.assertEqual([name for name in completion.candidates(namespace, "al") if name not in dir(builtins)], ["al"])
        self.assertEqual(completion.candidates(namespace, "odd."), [])

    def test_nothing_is_called(self):
        self.assertEqual(completion.candidates({}, "f()."), [])
        self.assertEqual(completion.candidates({}, "nowhere.x"), [])
        self.assertEqual(completion.candidates({}, ""), [])
