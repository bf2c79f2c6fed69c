import unittest

from tests.session import Session


class Display(unittest.TestCase):
    def setUp(self):
        self.session = Session()

    def test_only_the_last_expression_is_shown(self):
        self.assertEqual(self.session.printed("1\n2"), "2\n")
        self.assertEqual(self.session.printed("1;2"), "2\n")

    def test_none_is_not_shown(self):
        self.assertEqual(self.session.printed("None"), "")

    def test_expressions_in_a_final_block_are_shown(self):
        self.assertEqual(self.session.printed("for i in range(3):\n  i"), "0\n1\n2\n")

    def test_the_shown_value_is_kept(self):
        self.session.printed("41")
        self.assertEqual(self.session.printed("_ + 1"), "42\n")

    def test_variables_last(self):
        self.session.printed("x = 5")
        self.assertEqual(self.session.printed("x"), "5\n")

    def test_line_ends_of_windows(self):
        self.assertEqual(self.session.printed("x = 1\r\nif x:\r\n  print(x)\r\n"), "1\n")

    def test_nothing_to_run(self):
        for code in ("", "\n", "# only a comment"):
            self.assertEqual(self.session.printed(code), "")

    def test_what_is_defined_belongs_to_main(self):
        self.assertEqual(self.session.printed("class A: pass\nA.__module__, __name__"), "('__main__', '__main__')\n")

    def test_await_at_the_top(self):
        self.assertEqual(self.session.printed("import asyncio\nawait asyncio.sleep(0, 'slept')"), "'slept'\n")

    def test_future_imports_last(self):
        self.session.printed("from __future__ import annotations")
        self.assertEqual(self.session.printed("def f(x: Nowhere): pass\nf.__annotations__"), "{'x': 'Nowhere'}\n")

    def test_source_can_be_found(self):
        self.session.printed("import inspect\ndef f():\n  return 1\n")
        self.session.printed("def g(): pass")
        self.assertEqual(self.session.printed("print(inspect.getsource(f))"), "def f():\n  return 1\n\n")


class Errors(unittest.TestCase):
    def setUp(self):
        self.session = Session()

    def test_a_syntax_error_runs_nothing(self):
        reply, printed = self.session.run("print('x')\n)")
        self.assertEqual(printed, "")
        self.assertEqual(reply["error"]["ename"], "SyntaxError")
        self.assertTrue(reply["error"]["evalue"].endswith("(<stdin>, line 2)"), reply)
        self.assertNotIn("Traceback", "".join(reply["error"]["traceback"]))

    def test_errors_found_late_by_the_compiler_run_nothing(self):
        self.assertEqual(self.session.run("print('x')\nreturn 1")[1], "")

    def test_the_top_level_is_left_out(self):
        self.assertEqual(
            self.session.error("abcde"),
            (
                "NameError",
                "name 'abcde' is not defined",
                "Traceback (most recent call last):\nNameError: name 'abcde' is not defined\n",
            ),
        )

    def test_frames_of_the_users_functions_are_shown_with_their_lines(self):
        self.session.printed("def f(x):\n    return 1 / x")
        _, _, trace = self.session.error("f(0)")
        self.assertIn('  File "<stdin>", line 2, in f\n    return 1 / x\n', trace)
        self.assertNotIn("livius_shell", trace)
        self.assertNotIn("<module>", trace)

    def test_every_line_ends(self):
        reply, _ = self.session.run("def f(): raise ValueError('a\\nb')\nf()")
        self.assertTrue(all(line.endswith("\n") for line in reply["error"]["traceback"]))

    def test_causes_are_told(self):
        _, _, trace = self.session.error("try:\n  1/0\nexcept ZeroDivisionError as e:\n  raise ValueError('v') from e")
        self.assertIn("direct cause of the following", trace)
        self.assertLess(trace.index("ZeroDivisionError"), trace.index("ValueError"))

    def test_exits_and_interrupts_are_errors_like_others(self):
        self.assertEqual(self.session.error("import sys; sys.exit(3)")[:2], ("SystemExit", "3"))
        self.assertEqual(self.session.error("raise KeyboardInterrupt")[:2], ("KeyboardInterrupt", ""))

    def test_exceptions_that_cannot_be_printed(self):
        name, value, _ = self.session.error("class Bad(Exception):\n  def __str__(self): raise SystemExit\nraise Bad()")
        self.assertEqual(name, "Bad")
        self.assertIn("SystemExit", value)

    def test_exceptions_whose_class_or_text_is_odd(self):
        hidden = "class M(type):\n  __name__ = property(lambda c: 1 / 0)\nclass Odd(Exception, metaclass=M): pass\nraise Odd('o')"
        self.assertEqual(self.session.error(hidden)[:2], ("Odd", "o"))
        own = "class T(str):\n  def __len__(self): raise SystemExit\nclass Own(Exception):\n  def __str__(self): return T('own')\n"
        self.assertEqual(self.session.error(own + "raise Own()")[:2], ("Own", "own"))

    def test_causes_in_a_circle(self):
        circle = "a = Exception('a')\nb = Exception('b')\na.__cause__ = b\nb.__cause__ = a\nraise a"
        self.assertEqual(self.session.error(circle)[:2], ("Exception", "a"))
        chain = "e = None\nfor i in range(10000):\n  n = Exception(i); n.__cause__ = e; e = n\nraise e"
        self.assertEqual(self.session.error(chain)[:2], ("Exception", "9999"))

    def test_values_that_cannot_be_shown(self):
        self.assertEqual(self.session.error("class R:\n  def __repr__(self): 1/0\nR()")[0], "ZeroDivisionError")

    def test_lone_surrogates(self):
        self.assertEqual(self.session.error("raise Exception('a\\ud800')")[1], "a\\ud800")

    def test_endless_recursion(self):
        self.assertEqual(self.session.error("def r(): return r()\nr()")[0], "RecursionError")

    def test_text_of_any_length(self):
        self.assertLess(len(self.session.error("raise Exception('x' * 10**7)")[1]), 10**6)

    def test_the_next_statement_runs(self):
        self.session.error("1/0")
        self.assertEqual(self.session.printed("7"), "7\n")
