"""Makes any text fit to be sent."""

import re

# Each statement's code has a file name of its own, as in the interactive Python 3.13, so that `linecache` and `inspect`
# find the source. The user knows all of them as <stdin>.
_OWN_FILE_NAME = re.compile(r"<stdin>-\d+")

# An error's text is for reading. A longer text is data.
LONGEST = 1 << 18


def file_name(statement):
    return "<stdin>-{}".format(statement)


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
    return _OWN_FILE_NAME.sub("<stdin>", clean(text))
