"""What pydantic objects to, in this project's own words: code and facts for each error, in place of English prose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from typing import get_args
from typing import get_origin

from pydantic import BaseModel
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from profiles.language import Texts
from profiles.yaml12 import Path

#: Longer values are cut in messages.
_SHOWN_CHARACTERS = 60

#: Codes for the error types that need no facts but what was found.
_WANTS = {
    "string_type": "wants-text",
    "int_type": "wants-integer",
    "int_parsing": "wants-integer",
    "int_from_float": "wants-integer",
    "float_type": "wants-number",
    "float_parsing": "wants-number",
    "finite_number": "wants-number",
    "bool_type": "wants-boolean",
    "bool_parsing": "wants-boolean",
    "dict_type": "wants-mapping",
    "model_type": "wants-mapping",
    "model_attributes_type": "wants-mapping",
    "mapping_type": "wants-mapping",
    "list_type": "wants-list",
    "tuple_type": "wants-list",
    "set_type": "wants-list",
    "frozen_set_type": "wants-list",
    "ip_any_address": "wants-address",
    "ip_v4_address": "wants-address",
    "ip_v6_address": "wants-address",
    "mac_address": "wants-mac",
    "ip_any_network": "wants-network",
    "ip_v4_network": "wants-network",
    "ip_v6_network": "wants-network",
    "datetime_type": "wants-datetime",
    "datetime_parsing": "wants-datetime",
    "datetime_from_date_parsing": "wants-datetime",
    "datetime_object_invalid": "wants-datetime",
    "timezone_aware": "wants-timezone",
    "date_type": "wants-date",
    "date_parsing": "wants-date",
    "date_from_datetime_parsing": "wants-date",
}

#: Error types of ranges: the fact that pydantic names, and the sign to show.
_RANGES = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", ">="),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "<="),
}

#: Error types of sizes: the fact that pydantic names, and the code.
_SIZES = {
    "string_too_short": ("min_length", "too-short"),
    "string_too_long": ("max_length", "too-long"),
    "too_short": ("min_length", "too-few"),
    "too_long": ("max_length", "too-many"),
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One objection: where in the values, the code of its text, the facts that fill it."""

    path: Path
    code: str
    facts: Mapping[str, object]
    at_key: bool = False  #: whether the key is wrong rather than its value


def complaints(error: ValidationError, model: type[BaseModel], value: object) -> list[Complaint]:
    """One complaint for each mistake; ``value`` is what was validated against ``model``.

    A misspelt key is one mistake, not an unknown and a missing one.

    A validator of a model chooses its text by raising ``PydanticCustomError(code, message, facts)`` with the code of
    a text ``problem.<code>`` in ``profiles/texts.toml``.
    """
    found = [
        _complaint(detail, model, value)
        for detail in error.errors(include_url=False)
        # pydantic counts valid entries only; the invalid ones are complained of one by one
        if detail["type"] != "too_short" or len(detail["input"]) < detail["ctx"]["min_length"]
    ]
    misspelt = {(it.path[:-1], it.facts["meant"]) for it in found if it.code == "unknown-key-like"}
    return [it for it in found if it.code != "missing-key" or (it.path, it.facts["found"]) not in misspelt]


def shown(value: object) -> str:
    """A found value as JSON on one line, cut when long, with every invisible character escaped."""
    text = _printable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def meant(found: object, allowed: Iterable[str]) -> str | None:
    """The allowed word that was probably meant."""
    return _nearest(str(found), tuple(allowed))


@lru_cache(maxsize=1024)  # a mistake made once in a table is made in every row
def _nearest(word: str, allowed: tuple[str, ...]) -> str | None:
    folded = {it.casefold(): it for it in allowed}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def _printable(text: str) -> str:
    return "".join(it if it.isprintable() else it.encode("unicode_escape").decode() for it in text)


def _complaint(detail: ErrorDetails, model: type[BaseModel], value: object) -> Complaint:
    kind, context, loc = detail["type"], detail.get("ctx", {}), detail["loc"]
    path = _existing(loc, value)
    found = shown(detail["input"])
    if kind == "missing":
        return Complaint(path, "missing-key", {"found": loc[-1]})
    if kind == "extra_forbidden":
        return _one_of("unknown-key", path, loc[-1], sorted(_allowed_keys(model, loc[:-1])), at_key=True)
    if kind in ("literal_error", "enum"):
        return _one_of("not-a-choice", path, detail["input"], _choices(context["expected"]))
    if kind in _WANTS:
        return Complaint(path, _WANTS[kind], {"found": found})
    if kind in _RANGES:
        name, sign = _RANGES[kind]
        limit = f"{context[name]:g}" if isinstance(context[name], float) else context[name]
        return Complaint(path, "out-of-range", {"found": found, "expected": f"{sign} {limit}"})
    if kind in _SIZES:
        name, code = _SIZES[kind]
        return Complaint(path, code, {"found": found, "limit": context[name]})
    if kind == "string_pattern_mismatch":
        return Complaint(path, "wants-pattern", {"found": found, "pattern": context["pattern"]})
    if f"problem.{kind}" in Texts.of("profiles").codes():
        return Complaint(path, kind, {"found": found, **context})
    expected = str(context["error"]) if "error" in context else detail["msg"]
    return Complaint(path, "invalid-value", {"found": found, "expected": expected})


def _one_of(code: str, path: Path, found: object, allowed: list[str], *, at_key: bool = False) -> Complaint:
    near = meant(found, allowed)
    facts: dict[str, object] = {
        "found": _printable(str(found)) if at_key else shown(found),
        "allowed": ", ".join(allowed),
        "meant": near or "",
    }
    return Complaint(path, f"{code}-like" if near else code, facts, at_key)


def _choices(expected: str) -> list[str]:
    """The words of pydantic's "'a', 'b' or 'c'"."""
    return re.findall(r"'([^']*)'", expected) or re.split(r", | or ", expected)


def _existing(loc: tuple[str | int, ...], value: object) -> Path:
    """The part of pydantic's location that leads to something in the values: not its own union and key marks."""
    path: list[str | int] = []
    below: Any = value
    for step in loc:
        if type(below) in (dict, list):
            with suppress(LookupError, TypeError):
                below = below[step]
                path.append(step)
    return tuple(path)


def _allowed_keys(annotation: object, loc: tuple[str | int, ...]) -> set[str]:
    """The keys that the models at ``loc`` below ``annotation`` have, as written in files."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {entry.alias or name: entry.annotation for name, entry in annotation.model_fields.items()}
        if not loc:
            return set(fields)
        return _allowed_keys(fields[str(loc[0])], loc[1:]) if loc[0] in fields else _allowed_keys(annotation, loc[1:])
    arguments = get_args(annotation)
    inside = loc[1:] if get_origin(annotation) in (tuple, list, dict) else loc
    return {key for argument in arguments for key in _allowed_keys(argument, inside)}
