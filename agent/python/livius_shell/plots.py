"""Matplotlib figures as PNG images. Nothing here imports matplotlib: figures exist only if the user's code did."""

import base64
import io
import os
import sys
import warnings

# The last figure shown. Showing closes a figure, but a later `%matplot plt` may ask for it.
_shown = None


def prepare():
    """Makes matplotlib draw in memory: there is no screen, and `plt.show()` would warn about that each time."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    warnings.filterwarnings("ignore", message=".*(non-interactive|non-GUI).*", category=UserWarning)


def take_open_figures():
    """The current figure, if the statement left any open, as a dict from MIME type to image. All are closed."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return take(pyplot) if pyplot is not None and pyplot.get_fignums() else {}


def drop():
    """Closes figures that belong to no output, as those of a statement that failed: a later statement must not show them."""
    try:
        _close_all()
    except Exception:  # a figure's own callback failed
        pass


def take(source):
    """The image of a figure, or of the current one where `source` is pyplot, as above."""
    try:
        return {"image/png": _draw(_figure(source))}
    finally:
        _close_all()  # closes a figure that cannot be drawn, too: it would fail every later statement


def _close_all():
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


def _draw(figure):
    global _shown
    png = io.BytesIO()
    figure.savefig(png, format="png")
    _shown = figure
    return base64.b64encode(png.getvalue()).decode("ascii")


def _figure(source):
    if not hasattr(source, "savefig"):
        raise TypeError("%matplot shows matplotlib.pyplot or a figure, not {}".format(type(source).__name__))
    if not hasattr(source, "gcf"):
        return source
    return _shown if _shown is not None and not source.get_fignums() else source.gcf()
