"""Effective properties of text: run over character, paragraph and table style, over defaults, over theme.

ECMA-376 part 1, 17.7.2. What Word does beyond it (conditional formats of table styles, toggles across styles) is left
out: none of the rules asks for it but through fonts and sizes, which those seldom set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.forms.markup import Element
from reports.forms.markup import q

_FALSE = frozenset({"0", "false", "off"})
_SLOTS = {"asian": ("w:eastAsia", "w:eastAsiaTheme"), "latin": ("w:ascii", "w:asciiTheme")}
#: Scripts of a theme's fonts by the language that a document's settings name for East Asian text.
_SCRIPTS = {"zh-TW": "Hant", "zh-HK": "Hant", "zh-MO": "Hant", "ja-JP": "Jpan", "ko-KR": "Hang"}
_TWIPS, _HALF_POINTS = 20, 2  # in a point
_DEFAULT_HALF_POINTS = 20  # what ECMA-376 17.3.2.38 has where nothing is said


@dataclass(frozen=True, slots=True)
class Look:
    """How a run of text looks."""

    asian: str  #: font of East Asian characters; empty if nothing names one
    latin: str
    half_points: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class Spacing:
    """Spacing of a paragraph's lines: twips, or 240ths of a line if the rule is ``auto``."""

    line: int
    rule: str

    def is_exactly(self, twips: int) -> bool:
        """Whether the lines have this height, whatever stands in them."""
        return self.rule == "exact" and self.line == twips


class Styles:
    """The styles, the defaults and the theme of one document."""

    def __init__(self, styles: Element | None, theme: Element | None, settings: Element | None) -> None:
        self._styles: dict[str, Element] = {}
        self._default = ""
        self._runs: dict[str, Mapping[str, Any]] = {}
        self._paragraphs: dict[str, Mapping[str, Any]] = {}
        self._default_run: Mapping[str, Any] = {}
        self._default_paragraph: Mapping[str, Any] = {}
        self._theme = _theme_fonts(theme, _asian_language(settings))
        if styles is not None:
            self._read(styles)

    def _read(self, styles: Element) -> None:
        for style in styles.iterchildren(q("w:style")):
            id = style.get(q("w:styleId"), "")
            self._styles.setdefault(id, style)
            if style.get(q("w:type")) == "paragraph" and is_on(style.get(q("w:default"), "0")):
                self._default = self._default or id
        defaults = styles.find(q("w:docDefaults"))
        if defaults is not None:
            self._default_run = _run(defaults.find(f"{q('w:rPrDefault')}/{q('w:rPr')}"))
            self._default_paragraph = _paragraph(defaults.find(f"{q('w:pPrDefault')}/{q('w:pPr')}"))

    def name(self, id: str) -> str:
        """The style's name as Word shows it, in lower case; of the default style, if ``id`` is empty."""
        style = self._styles.get(id or self._default)
        named = None if style is None else style.find(q("w:name"))
        return "" if named is None else named.get(q("w:val"), "").lower()

    def outline(self, id: str) -> int | None:
        """Level of the headings that the style makes, from 0; ``None`` if it makes none."""
        level = self._merged(id or self._default, self._paragraphs, "w:pPr", _paragraph).get("outline")
        return level if isinstance(level, int) and level < 9 else None

    def look(self, direct: Element | None, paragraph: str, table: str = "") -> Look:
        """How a run looks.

        Args:
            direct: its ``w:rPr``.
            paragraph: id of its paragraph's style; empty for the default style.
            table: id of the style of the table that it is in.
        """
        own = _run(direct)
        merged = dict(self._default_run)
        for style in (table, paragraph or self._default, own.get("style", "")):
            merged |= self._merged(style, self._runs, "w:rPr", _run)
        merged |= own
        return Look(
            asian=self._font(merged.get("asian")),
            latin=self._font(merged.get("latin")),
            half_points=merged.get("size", _DEFAULT_HALF_POINTS),
            hidden=merged.get("hidden", False),
        )

    def spacing(self, direct: Element | None, paragraph: str, table: str = "") -> Spacing:
        """How far a paragraph's lines are apart. Arguments as of :meth:`look`, with a ``w:pPr``."""
        merged = dict(self._default_paragraph)
        for style in (table, paragraph or self._default):
            merged |= self._merged(style, self._paragraphs, "w:pPr", _paragraph)
        merged |= _paragraph(direct)
        return Spacing(merged.get("line", 240), merged.get("rule", "auto"))

    def _merged(self, id: str, known: dict[str, Mapping[str, Any]], tag: str, read: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """A style's properties with those of the styles that it is based on; a ring of styles is cut."""
        if id not in known:
            chain, seen = [], set()
            step = id
            while step in self._styles and step not in seen:
                seen.add(step)
                style = self._styles[step]
                chain.append(read(style.find(q(tag))))
                base = style.find(q("w:basedOn"))
                step = "" if base is None else base.get(q("w:val"), "")
            merged: dict[str, Any] = {}
            for properties in reversed(chain):
                merged |= properties
            merged.pop("style", None)
            known[id] = merged
        return known[id]

    def _font(self, named: tuple[str, bool] | None) -> str:
        if named is None:
            return ""
        name, of_theme = named
        return self._theme.get(name, "") if of_theme else name


def is_on(value: str | None) -> bool:
    """Whether an on/off property that is there is on."""
    return value is None or value.lower() not in _FALSE


def _run(properties: Element | None) -> dict[str, Any]:
    if properties is None:
        return {}
    found: dict[str, Any] = {}
    fonts = properties.find(q("w:rFonts"))
    if fonts is not None:
        for slot, (plain, of_theme) in _SLOTS.items():
            if name := fonts.get(q(of_theme)):
                found[slot] = (name, True)
            elif name := fonts.get(q(plain)):
                found[slot] = (name, False)
    for tag, key in (("w:sz", "size"), ("w:vanish", "hidden"), ("w:rStyle", "style")):
        child = properties.find(q(tag))
        if child is None:
            continue
        value = child.get(q("w:val"))
        if key == "hidden":
            found[key] = is_on(value)
        elif key == "style":
            found[key] = value or ""
        elif (size := _number(value, _HALF_POINTS)) is not None:
            found[key] = size
    return found


def _paragraph(properties: Element | None) -> dict[str, Any]:
    if properties is None:
        return {}
    found: dict[str, Any] = {}
    spacing = properties.find(q("w:spacing"))
    if spacing is not None:
        if (line := _number(spacing.get(q("w:line")))) is not None:
            found["line"] = line
        if rule := spacing.get(q("w:lineRule")):
            found["rule"] = rule
    outline = properties.find(q("w:outlineLvl"))
    if outline is not None and (level := _number(outline.get(q("w:val")))) is not None:
        found["outline"] = level
    return found


def _number(value: str | None, per_point: int = _TWIPS) -> int | None:
    """A whole number, or a measure with its unit (``27pt``), in the unit that the attribute has without one."""
    try:
        if value is not None and value.endswith("pt"):
            return round(float(value[:-2]) * per_point)
        return None if value is None else int(float(value))
    except (ValueError, OverflowError):
        return None


def _asian_language(settings: Element | None) -> str:
    language = None if settings is None else settings.find(q("w:themeFontLang"))
    return "zh-CN" if language is None else language.get(q("w:eastAsia"), "zh-CN")


def _theme_fonts(theme: Element | None, language: str) -> dict[str, str]:
    """Fonts by the names that ``w:eastAsiaTheme`` and ``w:asciiTheme`` use."""
    found: dict[str, str] = {}
    if theme is None:
        return found
    script = _SCRIPTS.get(language, "Hans")
    for kind in ("major", "minor"):
        fonts = next(theme.iter(q(f"a:{kind}Font")), None)
        if fonts is None:
            continue
        scripts = {font.get("script"): font.get("typeface", "") for font in fonts.iterchildren(q("a:font"))}
        asian, latin = (_typeface(fonts.find(q(tag))) for tag in ("a:ea", "a:latin"))
        found[f"{kind}EastAsia"] = asian or scripts.get(script, "")
        found[f"{kind}Ascii"] = found[f"{kind}HAnsi"] = latin
    return found


def _typeface(font: Element | None) -> str:
    return "" if font is None else font.get("typeface", "")
