"""The font that pictures are written in: one of those installed that can write Chinese."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from profiles.problem import Problem
from profiles.problem import UserMistake

CATALOGUE = "reports.pictures"
REGULAR = 400  #: weight


@cache
def wanted() -> dict[str, list[str]]:
    """Families by use (``installed``, ``asked``), best first."""
    return tomllib.loads(files(CATALOGUE).joinpath("fonts.toml").read_text("utf-8"))


def family() -> str:
    """The best installed family that can write Chinese.

    Raises:
        UserMistake: if none is installed.
    """
    return str(_face().name)


@cache
def supported() -> frozenset[int]:
    """Code points that :func:`family` has a glyph for.

    Raises:
        UserMistake: if no family is installed.
    """
    return frozenset(_font().get_charmap())


@cache
def advance(character: str) -> float:
    """How wide a character of :func:`family` is, in units of the type size."""
    from matplotlib.ft2font import LoadFlags

    font = _font()
    return float(font.load_char(ord(character), flags=LoadFlags.NO_SCALE).horiAdvance / font.units_per_EM)


def svg_families() -> list[str]:
    """The families that an SVG names: the one that it was laid out with, then what readers have."""
    return list(dict.fromkeys([family(), *wanted()["asked"]]))


@cache
def _face() -> Any:  # noqa: ANN401 - matplotlib has no types
    found = _installed()
    if found is None:
        _look_again()
        found = _installed()
    if found is None:
        raise UserMistake([Problem("no-font", CATALOGUE, facts={"families": ", ".join(wanted()["installed"][:6])})])
    return found


@cache
def _font() -> Any:  # noqa: ANN401
    from matplotlib.ft2font import FT2Font

    face = _face()
    return FT2Font(face.fname, face_index=face.index)


def _installed() -> Any:  # noqa: ANN401
    from matplotlib.font_manager import fontManager

    faces = [it for it in fontManager.ttflist if it.style == "normal"]
    for name in wanted()["installed"]:
        mine = [it for it in faces if it.name == name]
        if mine:
            return min(mine, key=lambda it: (abs(_weight(it.weight) - REGULAR), it.fname))
    return None


def _weight(told: object) -> int:
    """A face's weight as a number; matplotlib has words for some."""
    from matplotlib.font_manager import weight_dict

    return int(weight_dict.get(told, REGULAR)) if isinstance(told, str) else int(str(told))


def _look_again() -> None:
    """Take up fonts that were installed after matplotlib made its list of them."""
    from matplotlib.font_manager import findSystemFonts
    from matplotlib.font_manager import fontManager

    known = {it.fname for it in fontManager.ttflist}
    for path in sorted(set(findSystemFonts()) - known):
        try:
            fontManager.addfont(path)
        except (OSError, RuntimeError, ValueError):  # a broken font is no reason to draw nothing
            continue
