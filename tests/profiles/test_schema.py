"""The JSON Schema of profile files, held against the shipped files by a small reader of the keywords it uses."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from profiles import loader
from profiles.document import load
from profiles.indicators import known
from profiles.schema import schema

SCHEMA = schema()


def fits(value: object, rule: dict[str, Any]) -> bool:
    """Whether ``value`` fits ``rule``; an unknown keyword is an error of this test, not a pass."""
    checks = [_KEYWORDS[keyword](value, argument, rule) for keyword, argument in rule.items() if keyword not in _NOTES]
    return all(checks)


_NOTES = {"title", "description", "default", "examples", "$defs", "$schema", "required", "additionalProperties"}
_TYPES = {"string": str, "array": list, "object": dict, "boolean": bool, "null": type(None)}


def is_of(value: object, name: str, _: dict[str, Any]) -> bool:
    if name in ("number", "integer"):
        return isinstance(value, int if name == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, _TYPES[name])


def properties(value: object, rules: dict[str, Any], whole: dict[str, Any]) -> bool:
    if not isinstance(value, dict):
        return True
    unknown = set(value) - set(rules)
    allowed = whole.get("additionalProperties", True) is not False or not unknown
    missing = set(whole.get("required", ())) - set(value)
    return allowed and not missing and all(fits(value[key], rules[key]) for key in set(value) & set(rules))


_KEYWORDS: dict[str, Any] = {
    "type": is_of,
    "properties": properties,
    "items": lambda value, rule, _: all(fits(it, rule) for it in value) if isinstance(value, list) else True,
    "$ref": lambda value, name, _: fits(value, SCHEMA["$defs"][name.removeprefix("#/$defs/")]),
    "anyOf": lambda value, rules, _: any(fits(value, rule) for rule in rules),
    "enum": lambda value, words, _: value in words,
    "const": lambda value, word, _: value == word,
    "pattern": lambda value, pattern, _: not isinstance(value, str) or re.search(pattern, value) is not None,
    "minLength": lambda value, limit, _: not isinstance(value, str) or len(value) >= limit,
    "minItems": lambda value, limit, _: not isinstance(value, list) or len(value) >= limit,
    "exclusiveMinimum": lambda value, limit, _: not isinstance(value, int | float) or value > limit,
    "exclusiveMaximum": lambda value, limit, _: not isinstance(value, int | float) or value < limit,
}


@pytest.mark.parametrize("name", loader.shipped())
def test_shipped_files_fit(name: str) -> None:
    assert fits(load(loader._DATA / f"{name}.yaml").value, SCHEMA)


DERIVED = {
    "profile": "mine",
    "version": "1",
    "title": {"zh": "甲", "en": "a"},
    "description": {"zh": "甲", "en": "a"},
    "extends": ["shanghai-617-2022"],
}


@pytest.mark.parametrize(
    ("more", "sound"),
    [
        ({}, True),
        ({"override": [{"id": "NET-COV", "threshold": {"value": "95 %"}, "remedy": {"zh": "换"}}]}, True),
        ({"override": [{"id": "NET-COV", "threshold": None, "parameters": {"x": 1}}]}, True),
        ({"override": [{"threshold": {"value": "95 %"}}]}, False),
        ({"override": [{"id": "NET-COV", "threshold": {"valuex": "95 %"}}]}, False),
        ({"override": [{"id": "NET-COV", "source": {"standard": "S"}}]}, False),
        ({"override": [{"id": "NET-COV", "rule": "R9"}]}, False),
        ({"omitted": {"NET-COV": "why"}}, True),
        ({"requirements": [{"id": "A"}]}, False),
        ({"extend": []}, False),
    ],
)
def test_what_the_loader_refuses_by_shape_does_not_fit(more: dict[str, Any], sound: bool) -> None:
    assert fits(DERIVED | more, SCHEMA) is sound


def test_it_is_plain_json_with_a_dialect_and_every_indicator() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"].endswith("2020-12/schema")
    assert SCHEMA["$defs"]["Requirement"]["properties"]["indicator"]["enum"] == sorted(known())
