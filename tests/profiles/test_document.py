"""Documents: read, located, validated, with every mistake told in its place."""

from __future__ import annotations

import os
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime
from pydantic import Field
from pydantic import field_validator
from pydantic_core import PydanticCustomError

from profiles import document
from profiles import yaml12
from profiles.complaints import Complaint
from profiles.complaints import meant
from profiles.complaints import shown
from profiles.language import Texts
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.requirement import Strict


class Port(Strict):
    number: int = Field(ge=1, le=65535)
    name: str = Field(default="p", pattern="^[a-z]+$", min_length=1, max_length=3)


class Host(Strict):
    id: str
    cls: Literal["E", "P"] = Field(default="E", alias="class")
    address: IPv4Address | None = None
    ports: tuple[Port, ...] = Field(default=(), max_length=2)
    labels: dict[str, str] = Field(default={})
    seen: AwareDatetime | None = None
    on: bool = True
    share: float = Field(default=0.5, gt=0, lt=1)

    @field_validator("id")
    @classmethod
    def _no_blank(cls, value: str) -> str:
        if value == "blank":
            raise PydanticCustomError("wants-pattern", "no blank", {"pattern": "anything but blank"})
        if value == "cursed":
            raise ValueError("an id without a curse")
        return value


class Site(Strict):
    site: str
    hosts: tuple[Host, ...] = Field(min_length=1)


def site(text: str) -> Site:
    return document.validate(document.read(text, "site.yaml"), Site)


def told(mistake: pytest.ExceptionInfo[UserMistake]) -> list[tuple[int, int, str, str]]:
    return [(it.line, it.column, it.path, it.code) for it in mistake.value.problems]


def problem(text: str) -> Problem:
    with pytest.raises(UserMistake) as mistake:
        site(text)
    [only] = mistake.value.problems
    return only


def test_a_sound_file_becomes_its_model() -> None:
    made = site("site: 临港\nhosts: [{id: a, class: P, ports: [{number: 502}]}]")
    assert (made.site, made.hosts[0].cls, made.hosts[0].ports[0].number) == ("临港", "P", 502)


@pytest.mark.parametrize(
    ("host", "place", "path", "code", "facts"),
    [
        ("{id: a, clss: E}", (3, 12), "hosts[0].clss", "unknown-key-like", {"found": "clss", "meant": "class"}),
        ("{id: a, qqqq: E}", (3, 12), "hosts[0].qqqq", "unknown-key", {"found": "qqqq"}),
        ("{class: E}", (3, 4), "hosts[0]", "missing-key", {"found": "id"}),
        ("{id: 7}", (3, 9), "hosts[0].id", "wants-text", {"found": "7"}),
        ("{id: }", (3, 9), "hosts[0].id", "wants-text", {"found": "null"}),
        ("{id: cursed}", (3, 9), "hosts[0].id", "invalid-value", {"expected": "an id without a curse"}),
        ("{id: blank}", (3, 9), "hosts[0].id", "wants-pattern", {"pattern": "anything but blank"}),
        ("{id: a, class: e}", (3, 19), "hosts[0].class", "not-a-choice-like", {"found": '"e"', "meant": "E"}),
        ("{id: a, class: 5}", (3, 19), "hosts[0].class", "not-a-choice", {"allowed": "E, P"}),
        ("{id: a, address: 192.0.2.300}", (3, 21), "hosts[0].address", "wants-address", {"found": '"192.0.2.300"'}),
        ("{id: a, ports: 5}", (3, 19), "hosts[0].ports", "wants-list", {"found": "5"}),
        ("{id: a, ports: [5]}", (3, 20), "hosts[0].ports[0]", "wants-mapping", {"found": "5"}),
        ("{id: a, ports: [{number: 0}]}", (3, 29), "hosts[0].ports[0].number", "out-of-range", {"expected": ">= 1"}),
        ("{id: a, ports: [{number: 1.5}]}", (3, 29), "hosts[0].ports[0].number", "wants-integer", {"found": "1.5"}),
        (
            "{id: a, ports: [{number: 1, nme: x}]}",
            (3, 32),
            "hosts[0].ports[0].nme",
            "unknown-key-like",
            {"meant": "name"},
        ),
        ("{id: a, ports: [{number: 1, name: X}]}", (3, 38), "hosts[0].ports[0].name", "wants-pattern", {}),
        ("{id: a, ports: [{number: 1, name: ''}]}", (3, 38), "hosts[0].ports[0].name", "too-short", {"limit": 1}),
        ("{id: a, ports: [{number: 1, name: abcd}]}", (3, 38), "hosts[0].ports[0].name", "too-long", {"limit": 3}),
        (
            "{id: a, ports: [{number: 1}, {number: 2}, {number: 3}]}",
            (3, 19),
            "hosts[0].ports",
            "too-many",
            {"limit": 2},
        ),
        ("{id: a, labels: [b]}", (3, 20), "hosts[0].labels", "wants-mapping", {}),
        ("{id: a, labels: {k: 1}}", (3, 24), "hosts[0].labels.k", "wants-text", {"found": "1"}),
        ("{id: a, seen: soon}", (3, 18), "hosts[0].seen", "wants-datetime", {"found": '"soon"'}),
        ("{id: a, seen: 2026-01-31T22:00:00}", (3, 18), "hosts[0].seen", "wants-timezone", {}),
        ("{id: a, on: maybe}", (3, 16), "hosts[0].on", "wants-boolean", {"found": '"maybe"'}),
        ("{id: a, share: lots}", (3, 19), "hosts[0].share", "wants-number", {"found": '"lots"'}),
        ("{id: a, share: 1.0}", (3, 19), "hosts[0].share", "out-of-range", {"found": "1.0", "expected": "< 1"}),
        ("{id: a, share: .nan}", (3, 19), "hosts[0].share", "out-of-range", {"found": "NaN"}),
    ],
)
def test_each_mistake_has_its_place_code_and_facts(
    host: str, place: tuple[int, int], path: str, code: str, facts: dict[str, object]
) -> None:
    it = problem(f"site: a\nhosts:\n - {host}\n")
    assert ((it.line, it.column), it.path, it.code) == (place, path, code)
    assert {name: it.facts[name] for name in facts} == facts
    assert it.file == "site.yaml"
    for language in ("zh", "en"):
        assert it.text(language).startswith(f"site.yaml:{place[0]}:{place[1]} {path}: ")
    assert it.text("zh") != it.text("en")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(UserMistake) as mistake:
        site("hosts:\n - {id: 1}\n - {id: b, class: X}\n - {class: E}\nsit: a\n")
    assert told(mistake) == [
        (2, 9, "hosts[0].id", "wants-text"),
        (3, 19, "hosts[1].class", "not-a-choice"),
        (4, 4, "hosts[2]", "missing-key"),
        (5, 1, "sit", "unknown-key-like"),
    ]


@pytest.mark.parametrize("text", ["", "# nothing", "just text", "- a\n- b", "5"])
def test_something_else_than_a_mapping_is_refused(text: str) -> None:
    assert problem(text).code == "wants-mapping"


def test_an_empty_list_is_too_few_and_a_list_of_wrong_entries_is_not() -> None:
    assert problem("site: a\nhosts: []").code == "too-few"
    assert problem("site: a\nhosts: [{}]").code == "missing-key"


def test_what_another_room_finds_is_told_in_the_order_of_the_file_from_its_own_catalogue() -> None:
    sound = document.read("site: a\nhosts:\n - id: a\n - id: b\n", "s.yaml")
    places: list[yaml12.Path] = [("hosts", 1, "id"), ("site",), ("hosts", 0, "seen")]
    found = sound.problems([Complaint(path, "plant-exists", {}) for path in places], "fixtures")
    assert [(it.line, it.column, it.path) for it in found] == [
        (1, 7, "site"),
        (3, 4, "hosts[0].seen"),
        (4, 8, "hosts[1].id"),
    ]
    assert {it.catalogue for it in found} == {"fixtures"}


def test_locate_finds_values_keys_and_the_nearest_ancestor() -> None:
    read = document.read("a:\n  b: [1, {c: 2}]\n", "x.yaml")
    assert read.locate(("a", "b", 1, "c")) == (2, 14)
    assert read.locate(("a", "b", 1, "c"), key=True) == (2, 11)
    assert read.locate(("a", "b", 1, "d")) == (2, 10)
    assert read.locate(("a", "b", 7, "d")) == (2, 6)
    assert read.locate(()) == (1, 1)
    assert document.read("", "x.yaml").locate(("a",)) == (1, 1)


def test_files_are_read_with_and_without_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "站点.yaml"
    for head in (b"", b"\xef\xbb\xbf"):
        file.write_bytes(head + "site: 临港\r\nhosts: []\r\n".encode())
        read = document.load(file)
        assert read.value == {"site": "临港", "hosts": []}
        assert read.locate(("site",)) == (1, 7)


@pytest.mark.parametrize(
    ("data", "place", "code"),
    [
        ("site: 临港".encode("gbk"), (1, 7), "not-utf8"),
        ("a: 1\n场: 港\n".encode() + b"b: \xff", (3, 4), "not-utf8"),
        ("site: a".encode("utf-16"), (1, 1), "not-utf8"),
        (b"a: 1\na: 2\nb: [", (2, 1), "duplicate-key"),
    ],
    ids=["gbk", "stray byte", "utf-16", "repeated key"],
)
def test_bytes_that_cannot_be_read_are_refused_at_their_place(
    tmp_path: Path, data: bytes, place: tuple[int, int], code: str
) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(data)
    with pytest.raises(UserMistake) as mistake:
        document.load(file)
    first = mistake.value.problems[0]
    assert ((first.line, first.column), first.code, first.file) == (place, code, str(file))


def test_files_that_are_absent_folders_or_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large.yaml").write_text("a: " + "x" * 100)
    monkeypatch.setattr(document, "MAX_BYTES", 100)
    for path, code in (
        (tmp_path / "absent.yaml", "cannot-read"),
        (tmp_path, "cannot-read"),
        (tmp_path / "large.yaml", "too-large"),
    ):
        with pytest.raises(UserMistake) as mistake:
            document.load(path)
        assert [it.code for it in mistake.value.problems] == [code]
        assert str(path) in mistake.value.text("zh")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").touch(0o000)
    with pytest.raises(UserMistake, match="Permission denied"):
        document.load(tmp_path / "x.yaml")


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    with pytest.raises(UserMistake) as mistake:
        document.read("\n".join(lines), "bomb.yaml")
    assert told(mistake) == [(1, 5, "", "yaml-alias")]


@given(st.lists(st.text(max_size=5) | st.integers(0, 3), max_size=5))
def test_paths_are_written_as_people_write_them(path: list[str | int]) -> None:
    written = document.dotted(tuple(path))
    assert written.count("[") >= sum(isinstance(step, int) for step in path)
    assert document.dotted(("endpoints", 3, "zone")) == "endpoints[3].zone"


@given(
    st.recursive(st.none() | st.text() | st.floats(), lambda below: st.lists(below) | st.dictionaries(st.text(), below))
)
def test_shown_values_stay_on_one_short_line(value: object) -> None:
    text = shown(value)
    assert len(text) <= 60
    assert text.splitlines() in ([text], [])
    assert text.isprintable()


def test_the_nearest_word_is_meant_whatever_its_case() -> None:
    assert meant("ZONES", ["zones", "areas"]) == "zones"
    assert meant("zome", ["zone", "area"]) == "zone"
    assert meant("pump", ["zone", "area"]) is None
    assert meant(5, []) is None


def test_every_code_of_yaml_mishaps_has_a_text() -> None:
    codes = {code for _, code in yaml12._SYNTAX} | {"yaml-syntax", "yaml-tab", "yaml-quote", "yaml-control"}
    codes |= {"yaml-alias", "yaml-tag", "yaml-several-documents", "yaml-complex-key", "yaml-too-deep", "duplicate-key"}
    facts = {"error": "e", "found": "f", "limit": 1, "key": "k", "first_line": 1, "first_column": 1}
    for code in codes:
        for language in ("zh", "en"):
            assert Texts.of("profiles").get(f"problem.{code}", language, **facts)
