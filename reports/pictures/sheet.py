"""The sheet that a picture is drawn on: its title and its notes, the room between them, and the style of everything.

Sizes are in points on a sheet 8 inches wide, so that type is as large in any number of pixels, and 7 pt at least when
the picture is printed as wide as a text column.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Any

from reports.pictures import marks
from reports.pictures.fonts import family
from reports.pictures.fonts import supported
from reports.pictures.wording import drawable
from reports.pictures.wording import shortened
from reports.pictures.wording import wrapped
from reports.wording import Said

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_IN = 8.0
TITLE, TEXT, SMALL, TINY = 13.0, 10.0, 8.5, 7.5  #: sizes of type, points
_EDGE_IN = 0.16
_LEADING = 1.42
_BOLD = 1.07  #: how much wider bold type is
_KEYS_PT = 17.0  #: height of a row of keys
_POINTS = 72


class Sheet:
    """One figure in one language."""

    def __init__(self, figure: Figure, language: str) -> None:
        self.figure = figure
        self.language = language

    def text(self, said: Said | str, most: float | None = None) -> str:
        """Words in the sheet's language, safe to draw, and at most ``most`` type sizes wide."""
        shown = drawable(said.in_language(self.language) if isinstance(said, Said) else said, supported())
        return shown if most is None else shortened(shown, most)

    def lay_out(self, title: Said, about: Said, notes: Sequence[Said], keys: Sequence[Any] = ()) -> None:
        """Write the title, what it is about and a row of keys below it, and notes at the foot; axes get the rest."""
        wide = (WIDTH_IN - 2 * _EDGE_IN) * _POINTS
        high = self.figure.get_size_inches()[1] * _POINTS
        top = high - _EDGE_IN * _POINTS
        head = [(line, TITLE, "bold", marks.INK) for line in wrapped(self.text(title), wide / TITLE / _BOLD, 2)]
        head += [(line, TEXT, "normal", marks.INK) for line in wrapped(self.text(about), wide / TEXT, 3)]
        for line, size, weight, colour in head:
            self._line(line, top - size, size, weight, colour)
            top -= size * _LEADING
        if keys:
            legend = self.figure.legend(
                handles=list(keys), loc="upper left", ncols=len(keys), bbox_to_anchor=(0.005, (top + 2) / high),
                handlelength=1.8, columnspacing=1.4, borderpad=0.2,
            )  # fmt: skip
            legend.set_in_layout(False)
            top -= _KEYS_PT
        foot = [line for note in notes for line in wrapped(self.text(note), wide / TINY, 3)]
        bottom = _EDGE_IN * _POINTS
        for line in reversed(foot):
            self._line(line, bottom, TINY, "normal", marks.FAINT)
            bottom += TINY * _LEADING
        x, y = _EDGE_IN / WIDTH_IN, (bottom + 4) / high
        self.figure.set_layout_engine(
            "constrained",
            rect=(x, y, 1 - 2 * x, (top - 6) / high - y),
            w_pad=0.02,
            h_pad=0.02,
            wspace=0.03,
            hspace=0.03,
        )

    def _line(self, text: str, base_pt: float, size: float, weight: str, colour: str) -> None:
        high = self.figure.get_size_inches()[1] * _POINTS
        self.figure.text(_EDGE_IN / WIDTH_IN, base_pt / high, text, size=size, weight=weight, color=colour)


@contextmanager
def styled(salt: str) -> Iterator[None]:
    """For the time of one picture: matplotlib's own defaults and this style, whatever the user's files say."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in _style(salt).items():
            mpl.rcParams[name] = value  # type: ignore[index]  # its keys are spelled one by one
        yield


def _style(salt: str) -> dict[str, Any]:
    return {
        "font.family": [family()],
        "font.size": TEXT,
        "text.parse_math": False,  # a name with two dollar signs is a name
        "text.color": marks.INK,
        "axes.edgecolor": marks.FAINT,
        "axes.labelcolor": marks.INK,
        "axes.labelsize": TEXT,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.titlesize": TEXT,
        "axes.titlelocation": "left",
        "axes.formatter.use_mathtext": False,
        "xtick.color": marks.FAINT,
        "ytick.color": marks.FAINT,
        "xtick.labelcolor": marks.INK,
        "ytick.labelcolor": marks.INK,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "grid.color": marks.RULE,
        "grid.linewidth": 0.6,
        "hatch.linewidth": 0.7,
        "legend.frameon": False,
        "legend.fontsize": SMALL,
        "text.language": "zh-Hans",  # of the shapes that Chinese and Japanese share
        "svg.fonttype": "none",
        "svg.hashsalt": salt,
    }
