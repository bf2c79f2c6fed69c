"""A statement's text, taken apart and compiled before any of it runs."""

import __future__

import ast
import collections
import linecache

from .text import file_name

_FUTURE_FLAGS = [getattr(__future__, name).compiler_flag for name in __future__.all_feature_names]

# The number of statements whose text is kept for tracebacks and `inspect.getsource`, and the number of its characters.
_REMEMBERED = 1000
_REMEMBERED_CHARACTERS = 16 << 20

_BYTE_ORDER_MARK = "\ufeff"

Magic = collections.namedtuple("Magic", "name argument")


class Compiler:
    """Compiles statements one after another, as one interactive session: `from __future__` lasts."""

    def __init__(self):
        self._flags = 0
        self._remembered = collections.deque()
        self._remembered_characters = 0

    def compile(self, statement, code):
        """A list of code objects and magics to run in order. Raises the error of a text that is not valid."""
        code = code[code.startswith(_BYTE_ORDER_MARK) :].replace("\r\n", "\n").replace("\r", "\n")
        name = file_name(statement)
        self._remember(name, code)
        flags = self._flags
        try:
            return [step for part in split(code, name) for step in self._steps(part, name)]
        except BaseException:
            self._flags = flags
            raise

    def expression(self, text, name):
        return compile(text.strip(), name, "eval", self._flags, dont_inherit=True)

    def _steps(self, part, name):
        """All but the last top-level statement run plainly; the last one shows the values of its expressions."""
        if isinstance(part, Magic):
            return [part]
        if not part.body:
            return []
        plain = [self._compiled(ast.Module(body=part.body[:-1], type_ignores=[]), name, "exec")] if part.body[1:] else []
        return plain + [self._compiled(ast.Interactive(body=part.body[-1:]), name, "single")]

    def _compiled(self, tree, name, mode):
        code = compile(tree, name, mode, self._flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        for flag in _FUTURE_FLAGS:
            self._flags |= code.co_flags & flag
        return code

    def _remember(self, name, code):
        # Not `splitlines`: for Python's parser a form feed ends no line.
        linecache.cache[name] = (len(code), None, [line + "\n" for line in code.split("\n")], name)
        self._remembered.append((name, len(code)))
        self._remembered_characters += len(code)
        while len(self._remembered) > _REMEMBERED or self._remembered_characters > _REMEMBERED_CHARACTERS:
            oldest, size = self._remembered.popleft()
            self._remembered_characters -= size
            linecache.cache.pop(oldest, None)


def split(code, name):
    """The statement's parts: syntax trees and magics. A text that is valid Python as a whole has no magics."""
    try:
        return [ast.parse(code, name)]
    except SyntaxError:
        lines = code.split("\n")
        if not any(line.startswith("%") for line in lines):
            raise
    return list(_parts(lines, name))


def _parts(lines, name):
    """Cuts at lines that start with `%`, unless the code before such a line needs it, as an open string does."""
    begin = 0
    for index, line in enumerate(lines):
        if line.startswith("%"):
            tree = _parse_lines(lines, begin, index, name)
            if tree is not None:
                word, argument = (line[1:].split(None, 1) + ["", ""])[:2]
                yield tree
                yield Magic(word, argument.strip())
                begin = index + 1
    yield ast.parse(_padded(lines, begin, len(lines)), name)


def _parse_lines(lines, begin, end, name):
    try:
        return ast.parse(_padded(lines, begin, end), name)
    except SyntaxError:
        return None


def _padded(lines, begin, end):
    """Some of the lines, moved so that each keeps its number in the statement."""
    return "\n" * begin + "\n".join(lines[begin:end])
