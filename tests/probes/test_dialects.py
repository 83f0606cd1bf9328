"""Dialects: complete, readable, and open to other packages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from probes.at import decode
from probes.dialects import KINDS
from probes.dialects import known
from probes.dialects import load
from probes.serial_port import QUESTIONS


@pytest.fixture
def forget() -> Iterator[None]:
    known.cache_clear()
    yield
    known.cache_clear()


@pytest.mark.parametrize("name", sorted(known("at")))
def test_an_at_dialect_is_whole(name: str) -> None:
    dialect = load("at", name)
    for ask in dialect["ask"]:
        assert any(re.fullmatch(question, ask["command"]) for question in QUESTIONS)
        for layout in ask["layout"]:
            assert all(re.compile(pattern) for pattern in layout["where"].values())
            reached = [how["at"] for how in layout.get("read", {}).values()]
            reached += [
                how["at"] for how in (layout.get("registered"), layout.get("standalone")) if isinstance(how, dict)
            ]
            assert max(reached, default=0) <= max(map(int, layout["where"])), "no position that may not be there"
            assert {how["value"] for how in layout.get("read", {}).values()} <= set(dialect["value"])
    for kind in dialect["value"].values():
        assert isinstance(decode(str(kind["least"]), kind), float)
        assert decode(str(kind["most"] + 1), kind) == "implausible"
        assert all(decode(raw, kind) == "not-reported" for raw in kind["unknown"])


@pytest.mark.parametrize("name", sorted(known("snmp")))
def test_an_snmp_dialect_is_whole(name: str) -> None:
    dialect = load("snmp", name)
    assert "onu-rx-power" in dialect["objects"]
    for how in dialect["objects"].values():
        assert re.fullmatch(r"1(\.\d+)+", how["oid"])
        assert {"unit", "scale", "offset", "least", "most", "unknown"} <= set(how) <= {
            "oid", "suffix", "signed16", "unit", "scale", "offset", "least", "most", "unknown",
        }  # fmt: skip
    if status := dialect.get("status"):
        assert set(status["online"]) <= set(status["meaning"].values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_says_where_its_values_are_from(kind: str) -> None:
    for file in known(kind).values():
        head = file.read_text("utf-8").split("\n[", 1)[0]
        assert "Source" in head
        assert re.search(r"\((standard|secondary)\)|recalled", head)


def test_an_unknown_dialect_is_told_with_those_there_are() -> None:
    with pytest.raises(LookupError, match=r"no at dialect 'nobody'.*3gpp-27007, quectel"):
        load("at", "nobody")
    with pytest.raises(LookupError, match="no kind of dialects 'http'"):
        load("http", "quectel")


@pytest.mark.usefixtures("forget")
def test_another_package_adds_a_dialect_and_takes_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, info = tmp_path / "maker_dialects", tmp_path / "maker_dialects-1.0.dist-info"
    (package / "at").mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").touch()
    (package / "at" / "maker.toml").write_text("ask = []\n[value]\n", "utf-8")
    (package / "at" / "quectel.toml").write_text("ask = 1", "utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: maker-dialects\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[plantproof.dialects]\nmaker = maker_dialects\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load("at", "maker") == {"ask": [], "value": {}}
    assert isinstance(load("at", "quectel")["ask"], list)
    assert "maker" not in known("snmp")
