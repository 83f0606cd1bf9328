"""YAML 1.2 core values and their places, against trees made by hypothesis and written by PyYAML."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st

from profiles import yaml12

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
AWKWARD = st.sampled_from(
    [
        "no",
        "on",
        "Yes",
        "~",
        "null",
        "1e3",
        "0o7",
        "0x1F",
        "012",
        "1_000",
        "12:30:00",
        "2024-01-01",
        ".5",
        "-.inf",
        ".nan",
        "=",
        "<<",
        "- a",
        "a: b",
        "#",
        "&a",
        "*a",
        "!x",
        ">",
        "%",
        "@",
        "`",
        "'",
        '"',
        "",
        " a",
        "a ",
        "\n",
        "a\nb",
        "\ta",
        "[",
        "{",
        "a #b",
        "?",
        "0.",
        "+1",
        "1e",
        "5g",
        "工业 PON：1:32",
    ]
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | AWKWARD
TREE = st.recursive(
    LEAF, lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXT | AWKWARD, below, max_size=4)
)


def value_of(text: str) -> Any:
    value, mishaps = yaml12.parse(text)
    assert mishaps == []
    return value


@given(TREE)
def test_what_dump_writes_parse_reads_back(tree: Any) -> None:
    assert value_of(yaml12.dump(tree)) == tree


class QuotingDumper(yaml.SafeDumper):
    """PyYAML's dumper with all text quoted, because it leaves plain what only YAML 1.2 takes for a number."""


def quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Between single quotes PyYAML writes U+0085 raw, which it reads back as a line break.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, "'" if text.isprintable() else '"')


QuotingDumper.add_representer(str, quoted)


@given(TREE, st.sampled_from([True, False, None]), st.integers(2, 8), st.booleans(), st.integers(20, 200))
def test_trees_in_any_style_load_back_equal(tree: Any, flow: bool | None, indent: int, raw: bool, width: int) -> None:
    style = {"default_flow_style": flow, "indent": indent, "allow_unicode": raw, "width": width}
    text = yaml.dump(tree, Dumper=QuotingDumper, **style)
    assume(yaml.safe_load(text) == tree)  # it writes some long escaped texts so that it does not read them back itself
    assert value_of(text) == tree


def nodes(node: yaml.Node, path: yaml12.Path = ()) -> Iterator[tuple[yaml12.Path, yaml.Node, yaml.Node | None]]:
    """Every path of a tree composed by PyYAML's own scanner, with its value's node and its key's."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), value, key
            yield from nodes(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value, None
            yield from nodes(value, (*path, index))


@given(TREE, st.sampled_from([True, False, None]), st.booleans())
def test_places_are_those_of_another_scanner(tree: Any, flow: bool | None, raw: bool) -> None:
    text = yaml.dump(tree, Dumper=QuotingDumper, default_flow_style=flow, allow_unicode=raw)
    expected = list(nodes(yaml.compose(text, Loader=yaml.SafeLoader)))
    values, keys = yaml12.places(text, [path for path, _, _ in expected])
    for path, value, key in expected:
        assert values[path] == (value.start_mark.line + 1, value.start_mark.column + 1)
        if key is not None:
            assert keys[path] == (key.start_mark.line + 1, key.start_mark.column + 1)


PLANT = """\
# 厂区
工厂: 临港
zones:
- id: cell-a   # 总装
  networks: [192.0.2.0/24, 2001:db8::/32]
  budget: {packets_per_s: 10,
           total_bytes: }
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("工厂",), (2, 5), (2, 1)),
        (("zones",), (4, 1), (3, 1)),
        (("zones", 0), (4, 3), None),
        (("zones", 0, "id"), (4, 7), (4, 3)),
        (("zones", 0, "networks", 1), (5, 28), None),
        (("zones", 0, "budget"), (6, 11), (6, 3)),
        (("zones", 0, "budget", "packets_per_s"), (6, 27), (6, 12)),
        (("zones", 0, "budget", "total_bytes"), (7, 25), (7, 12)),
        (("zones", 1), None, None),
        (("zones", 0, "name"), None, None),
    ],
)
def test_places_of_a_hand_written_file(path: yaml12.Path, value: yaml12.Place | None, key: yaml12.Place | None) -> None:
    values, keys = yaml12.places(PLANT, [path])
    assert (values.get(path), keys.get(path)) == (value, key)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, None) for word in ("", "~", "null", "Null", "NULL")],
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        *[("0", 0), ("-7", -7), ("+7", 7), ("012", 12), ("0o17", 15), ("0x1F", 31)],
        *[("1.", 1.0), (".5", 0.5), ("-1.5e-3", -0.0015), ("1e3", 1000.0), ("12E03", 12000.0)],
        *[(".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf)],
        *[(word, word) for word in ("no", "No", "on", "off", "yes", "y", "nULL", "tRUE")],
        *[(word, word) for word in ("12:30:00", "2024-01-01", "1_0", "0b11", "0o8", "0x", "1e", ".", "+", "..5")],
        *[(word, word) for word in ("<<", "=", "+0x1", "192.0.2.1", "10 ms", "100 %", "5g", "inf", "nan", "9" * 401)],
    ],
)
def test_plain_scalars_by_the_core_schema(text: str, value: object) -> None:
    found = value_of(f"- {text}")[0]
    assert (found, type(found)) == (value, type(value))


def test_not_a_number_is_a_float() -> None:
    assert math.isnan(value_of("[.nan]")[0])


def test_keys_are_text_and_quoted_scalars_stay_text() -> None:
    assert value_of("5: '5'\nnull: \"null\"\n? \n: 1\n<<: 2") == {"5": "5", "null": "null", "": 1, "<<": 2}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: b: c", "yaml-colon", (1, 5)),
        ("a: 1\n b: 2", "yaml-colon", (2, 3)),
        ("a:\n\tb: 1", "yaml-tab", (2, 1)),
        ("a:\n  - b\n c: 1", "yaml-indent", (3, 2)),
        ("a: 'b' c", "yaml-indent", (1, 8)),
        ("- a\nb: 1", "yaml-indent", (2, 1)),
        ("a: 1\nb\n", "yaml-no-colon", (2, 1)),
        ("x: 1\na: [1, 2\nb: 3", "yaml-bracket", (2, 4)),
        ("{a: 1", "yaml-bracket", (1, 1)),
        ("a: ]", "yaml-bracket", (1, 4)),
        ("a: 1\nb: 'x\nc: 2\n", "yaml-quote", (2, 4)),
        ('a: "x', "yaml-quote", (1, 4)),
        ('a: "\\q"', "yaml-escape", (1, 5)),
        ("a: @x", "yaml-character", (1, 4)),
        ("%YAML 3.0\n---\na: 1", "yaml-syntax", (1, 1)),
        ("甲: 1\n乙: \x07", "yaml-control", (2, 4)),
        ("a: &x 1\nb: *x", "yaml-alias", (1, 4)),
        ("b: *x", "yaml-alias", (1, 4)),
        ("a: !!python/object:os.system x", "yaml-tag", (1, 4)),
        ("--- 1\n--- 2", "yaml-several-documents", (2, 1)),
        ("? [a]\n: b", "yaml-complex-key", (1, 3)),
        ("a: " + "[" * 200, "yaml-too-deep", (1, 67)),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(text: str, code: str, place: yaml12.Place) -> None:
    _, mishaps = yaml12.parse(text)
    assert [(mishap.code, mishap.place) for mishap in mishaps] == [(code, place)]


def test_every_repeated_key_is_told_with_both_places() -> None:
    _, mishaps = yaml12.parse("a: 1\nb:\n  - {c: 1, d: 1, c: 2}\na: 2\na: 3")
    told = [(it.path, it.place, it.facts["first_line"], it.facts["first_column"]) for it in mishaps]
    assert told == [(("b", 0, "c"), (3, 18), 3, 6), (("a",), (4, 1), 1, 1), (("a",), (5, 1), 1, 1)]


def test_a_repeated_key_before_a_syntax_error_is_told_too() -> None:
    _, mishaps = yaml12.parse("a: 1\na: 2\nb: [")
    assert [mishap.code for mishap in mishaps] == ["duplicate-key", "yaml-bracket"]


def test_empty_or_commented_texts_are_null() -> None:
    assert [value_of(text) for text in ("", "# nothing", "---\n", "\n\n")] == [None] * 4


@given(st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("-:[]{}#&*!|>'\"%@`,? \n\ta1"), max_size=40))
def test_any_text_gives_a_value_or_a_placed_mishap(text: str) -> None:
    _, mishaps = yaml12.parse(text)
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 2
    for mishap in mishaps:
        assert 1 <= mishap.place[0] <= lines
        assert mishap.place[1] >= 1
