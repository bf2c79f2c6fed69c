"""Makes any text fit to be sent."""

import re

# Each statement's code has a file name of its own, so that `linecache` finds its lines for `traceback`, `inspect` and `pdb`.
# The angle brackets are around all of it, because those modules take another name for a path. Users see <stdin>.
_BEGIN = "<stdin-"
_OWN_FILE_NAME = re.compile(_BEGIN + r"\d+>")

# An error's text is for reading. A longer text is data.
LONGEST = 1 << 18


def file_name(statement):
    return "{}{}>".format(_BEGIN, statement)


def is_user_file(name):
    return _OWN_FILE_NAME.fullmatch(name) is not None


def clean(text):
    """The text with lone surrogates, which UTF-8 cannot encode, written as escapes."""
    try:
        text.encode("utf-8")
        return text
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shortened(text, most_bytes):
    """The text in UTF-8. A long text loses its middle, because a traceback says most at its ends."""
    whole = clean(text).encode("utf-8")
    if len(whole) <= most_bytes:
        return whole
    note = "\n... {} bytes left out ...\n".format(len(whole) - most_bytes).encode("ascii")
    start = (most_bytes - len(note)) // 3
    end = most_bytes - len(note) - start
    return _whole_characters(whole[:start]) + note + _whole_characters(whole[-end:])


def _whole_characters(part):
    return part.decode("utf-8", "ignore").encode("utf-8")


def readable(text):
    """The text of an error as the user should see it."""
    text = str.__str__(text)  # a text of the user's own class may do anything
    if len(text) > LONGEST:
        text = "{}... {} more characters\n".format(text[:LONGEST], len(text) - LONGEST)
    return as_shown(clean(text))


def as_shown(text):
    """The text with the names of statements' files as the user knows them."""
    return _OWN_FILE_NAME.sub("<stdin>", text) if _BEGIN in text else text
