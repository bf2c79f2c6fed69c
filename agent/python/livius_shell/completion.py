"""Names that can complete what is being typed."""

import builtins
import keyword
import re

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.\w*)*$")

_MOST = 1000


def candidates(namespace, before):
    """Names in the namespace, or of the members of a dotted name's value, that begin with the text before the cursor."""
    typed = _DOTTED.search(before)
    if typed is None:
        return []
    path, dot, prefix = typed.group().rpartition(".")
    names = _members(namespace, path.split(".")) if dot else set(namespace) | set(dir(builtins)) | set(keyword.kwlist)
    found = sorted(name for name in names if name.startswith(prefix) and _is_offered(name, prefix))
    return found[:_MOST]


def _is_offered(name, prefix):
    return prefix.startswith("_") or not name.startswith("_")


def _members(namespace, path):
    """The members of a value. Only names are followed: completing must not call the user's functions."""
    try:
        value = namespace[path[0]] if path[0] in namespace else getattr(builtins, path[0])
        for name in path[1:]:
            value = getattr(value, name)
        return [name for name in dir(value) if isinstance(name, str)]
    except Exception:  # no such name, or a property that fails
        return []
