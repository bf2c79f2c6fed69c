"""Names that can complete what is being typed."""

import builtins
import keyword
import re

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.\w*)*$")

_MOST = 1000
_LONGEST = 200


def candidates(namespace, before):
    """Names in the namespace, or of the members of a dotted name's value, that begin with the text before the cursor."""
    try:
        return _found(namespace, before)
    except BaseException:  # a class, a property or a method of the user may raise anything
        return []


def _found(namespace, before):
    typed = _DOTTED.search(before)
    if typed is None:
        return []
    path, dot, prefix = typed.group().rpartition(".")
    names = _members(namespace, path.split(".")) if dot else set(namespace) | set(dir(builtins)) | set(keyword.kwlist)
    found = sorted(name for name in names if _is_name(name) and name.startswith(prefix) and _is_offered(name, prefix))
    return found[:_MOST]


def _is_name(name):
    """Whether it can be typed. The keys of a namespace may be anything."""
    return type(name) is str and len(name) <= _LONGEST and name.isidentifier()


def _is_offered(name, prefix):
    return prefix.startswith("_") or not name.startswith("_")


def _members(namespace, path):
    """The members of a value. Only names are followed: completing must not call the user's functions."""
    value = namespace[path[0]] if path[0] in namespace else getattr(builtins, path[0])
    for name in path[1:]:
        value = getattr(value, name)
    return dir(value)
