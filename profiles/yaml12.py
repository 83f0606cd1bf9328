"""YAML as plain values, by the rules of YAML 1.2's core schema, and where in the text each value stands.

Built on libyaml's event stream. Values are made in one pass without positions; a position is looked up in a second
pass, only for the paths asked for, because positions matter only where something is wrong.

Kept out on purpose: anchors and aliases (no expansion bombs), tags (no types but YAML's own), several documents in one
file. Keys are always text, as in JSON: ``5:`` is the key ``"5"``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import yaml
from yaml import _yaml
from yaml.reader import Reader
from yaml.reader import ReaderError

Step = str | int
Path = tuple[Step, ...]
Place = tuple[int, int]  #: line and column, both 1-based, in characters

#: Deeper nesting is refused: no file of this project needs more than 12, and every later reader may recurse.
MAX_DEPTH = 64
#: More digits in a row are not a number that a plant has, and converting them takes quadratic time.
MAX_DIGITS = 400

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **{sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something in the text that cannot stand, and where; ``code`` names a text ``problem.<code>``."""

    code: str
    place: Place
    path: Path = ()
    facts: dict[str, object] = field(default_factory=dict)


class Refused(Exception):
    """Nothing after this mishap can be read."""

    def __init__(self, mishap: Mishap) -> None:
        self.mishap = mishap
        super().__init__(mishap.code)


def scalar(text: str) -> object:
    """The value of a plain scalar by YAML 1.2 section 10.3.2: null, boolean, integer, float, else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or len(text) > MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return int(text, 0) if _PREFIXED.fullmatch(text) else text


def parse(text: str) -> tuple[Any, list[Mishap]]:
    """The value of the one document in ``text``, and every mishap up to the first that stops the reading.

    The value means nothing if there is a mishap.
    """
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except Refused as refused:
        builder.mishaps.append(refused.mishap)
    duplicates = [mishap for mishap in builder.mishaps if mishap.code == "duplicate-key"]
    if duplicates:
        _, keys = places(text, [mishap.path for mishap in duplicates])
        for mishap in duplicates:
            mishap.facts["first_line"], mishap.facts["first_column"] = keys[mishap.path]
    return builder.root, builder.mishaps


def dump(value: object) -> str:
    """``value`` (JSON types, text keys) as block-style YAML that :func:`parse` reads back equal.

    Text is quoted wherever YAML 1.1 or 1.2 would take it for something else, so that other readers agree.
    """
    text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=118)
    return text


def places(text: str, wanted: Iterable[Path]) -> tuple[dict[Path, Place], dict[Path, Place]]:
    """Where the values and where the keys of the ``wanted`` paths and of all their ancestors stand.

    Paths that the text does not have are missing from the answer. A key that appears twice is placed where it
    appears first.
    """
    prefixes = {path[:length] for path in wanted for length in range(len(path) + 1)}
    values: dict[Path, Place] = {}
    keys: dict[Path, Place] = {}
    with suppress(Refused):  # what stands before the mishap has its place
        for path, event, is_key in _walk(text, prefixes):
            (keys if is_key else values).setdefault(path, _place(event.start_mark))
    return values, keys


class _Builder:
    """Makes plain values of events; iterative, so that nesting cannot exhaust Python's stack."""

    def __init__(self) -> None:
        self.root: Any = None
        self.mishaps: list[Mishap] = []
        self._documents: list[Any] = []
        self._container: list[Any] | dict[str, Any] = self._documents
        self._key: str | None = None  # the key that waits for its value
        self._outer: list[tuple[list[Any] | dict[str, Any], Step]] = []  # and the step taken from there
        self._values: dict[str, Any] = {}  # one object per distinct text: files repeat keys, zones, classes
        self._keys: dict[str, str] = {}
        self._handlers: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: lambda event: self._open(event, {}),
            yaml.SequenceStartEvent: lambda event: self._open(event, []),
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._refuse,
            yaml.DocumentStartEvent: self._begin,
            yaml.DocumentEndEvent: self._finish,
        }

    def take(self, event: yaml.Event) -> None:
        handler = self._handlers.get(type(event))
        if handler:
            handler(event)

    def _begin(self, event: yaml.DocumentStartEvent) -> None:
        if self._documents:
            raise Refused(Mishap("yaml-several-documents", _place(event.start_mark)))

    def _finish(self, _: yaml.DocumentEndEvent) -> None:
        self.root = self._documents[0]

    def _refuse(self, event: yaml.NodeEvent) -> None:
        """Refuse tags, anchors and aliases."""
        code = "yaml-alias" if event.anchor else "yaml-tag"
        raise Refused(Mishap(code, _place(event.start_mark), self._path()))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if event.anchor or event.tag:
            self._refuse(event)
        text = event.value
        if self._key is None and type(self._container) is dict:
            self._key = self._keys.setdefault(text, text)
            if text in self._container:
                path = (*self._path(), text)
                self.mishaps.append(Mishap("duplicate-key", _place(event.start_mark), path, {"key": text}))
        elif not event.implicit[0]:
            self._put(text)
        else:
            if text not in self._values:
                self._values[text] = scalar(text)
            self._put(self._values[text])

    def _open(self, event: yaml.CollectionStartEvent, made: list[Any] | dict[str, Any]) -> None:
        if event.anchor or event.tag:
            self._refuse(event)
        if self._key is None and type(self._container) is dict:
            raise Refused(Mishap("yaml-complex-key", _place(event.start_mark), self._path()))
        if len(self._outer) == MAX_DEPTH:
            raise Refused(Mishap("yaml-too-deep", _place(event.start_mark), self._path(), {"limit": MAX_DEPTH}))
        self._outer.append((self._container, len(self._container) if self._key is None else self._key))
        self._put(made)
        self._container = made

    def _close(self, _: yaml.CollectionEndEvent) -> None:
        self._container, _step = self._outer.pop()

    def _put(self, value: object) -> None:
        if self._key is None:
            self._container.append(value)  # type: ignore[union-attr]  # a mapping's key is never pending here
        else:
            self._container[self._key] = value  # type: ignore[call-overload]
            self._key = None

    def _path(self) -> Path:
        return tuple(step for _, step in self._outer[1:])


def _events(text: str) -> Iterator[yaml.Event]:
    """The events of ``text``.

    Raises:
        Refused: at what is not YAML.
    """
    parser = _yaml.CParser(text)
    try:
        while (event := parser.get_event()) is not None:
            yield event
    except yaml.MarkedYAMLError as error:
        raise Refused(_syntax(error, text)) from None
    except ReaderError:
        raise Refused(_unprintable(text)) from None


def _walk(text: str, prefixes: set[Path]) -> Iterator[tuple[Path, yaml.Event, bool]]:
    """Every value and key whose path is one of ``prefixes``: path, event, and whether it is the key."""
    outer: list[tuple[Path | None, Step | None]] = []
    parent: Path | None = None  # path of the open container, None where nothing below is asked for
    step: Step | None = None  # the next index, or the pending key; None where a key comes next
    for event in _events(text):
        if isinstance(event, yaml.CollectionEndEvent):
            parent, step = outer.pop()
        elif not isinstance(event, yaml.NodeEvent):
            continue
        elif outer and step is None:
            step = event.value if isinstance(event, yaml.ScalarEvent) else ""
            if parent is not None and (*parent, step) in prefixes:
                yield (*parent, step), event, True
        else:
            path = () if step is None else None if parent is None else (*parent, step)
            asked = path if path in prefixes else None
            if asked is not None:
                yield asked, event, False
            step = step + 1 if isinstance(step, int) else None
            if isinstance(event, yaml.CollectionStartEvent):
                outer.append((parent, step))
                parent, step = asked, 0 if isinstance(event, yaml.SequenceStartEvent) else None


def _place(mark: yaml.Mark | _yaml.Mark | None) -> Place:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


#: What libyaml says, by a piece of it, and our own code for that mishap; anything else is told in libyaml's words.
_SYNTAX = (
    ("mapping values are not allowed", "yaml-colon"),
    ("did not find expected key", "yaml-indent"),
    ("did not find expected '-' indicator", "yaml-indent"),
    ("could not find expected ':'", "yaml-no-colon"),
    ("did not find expected ',' or", "yaml-bracket"),
    ("did not find expected node content", "yaml-bracket"),
    ("found character that cannot start any token", "yaml-character"),
    ("unknown escape character", "yaml-escape"),
)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Mishap:
    """The mishap in our own words; what was never finished is placed where it began."""
    problem = error.problem or ""
    mark = error.problem_mark or error.context_mark
    if "quoted scalar" in (error.context or "") and "end of stream" in problem:
        return Mishap("yaml-quote", _place(error.context_mark or mark))
    code = next((code for piece, code in _SYNTAX if piece in problem), "yaml-syntax")
    place = _place(mark)
    found = text[mark.index : mark.index + 1] if mark else ""
    if found == "\t":
        code = "yaml-tab"
    elif code == "yaml-no-colon" or (code == "yaml-bracket" and "flow" in (error.context or "")):
        place = _place(error.context_mark or mark)
    return Mishap(code, place, facts={"error": problem, "found": found})


def _unprintable(text: str) -> Mishap:
    """The first character that YAML 1.2 section 5.1 does not allow."""
    found = Reader.NON_PRINTABLE.search(text)
    position = found.start() if found else 0
    line_start = text.rfind("\n", 0, position) + 1
    place = (text.count("\n", 0, position) + 1, position - line_start + 1)
    return Mishap("yaml-control", place, facts={"found": f"U+{ord(text[position]):04X}"})


class _Dumper(yaml.CSafeDumper):
    """Writes without aliases, and quotes what either YAML version would not read as text."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


for _pattern, _tag, _first in (
    (_INTEGER, "int", "+-0123456789"),
    (_PREFIXED, "int", "0"),
    (_FLOAT, "float", "+-.0123456789"),
):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern.pattern})\Z"), list(_first))
