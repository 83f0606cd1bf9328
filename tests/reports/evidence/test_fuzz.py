"""Whatever a bundle holds, a verifier answers: with findings, or with a mistake that names the reason."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from profiles.problem import UserMistake
from reports.bundle import Bundle
from reports.plain import Malformed
from reports.verify import verify
from tests.reports.evidence.forging import reseal

FUZZ = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
SUBJECTS = ["[]", "{}", "[1,2,3,4]", '["a","b",0,"../../x"]', "{", "[" * 5_000]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "\x00", "\ud800", "../x", "NaN", "9999-99-99", "env:HOME", "[" * 5_000]),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=2),
)


def answers(bundle: Path) -> bool:
    """Whether the verifier says that something is wrong, whichever way."""
    try:
        return not verify(bundle).sound
    except UserMistake as mistake:
        return bool(mistake.text())


def resealed(bundle: Path) -> None:
    with suppress(Malformed):
        reseal(bundle)


def replaced(value: Any, data: st.DataObject) -> Any:
    """The value with one part of it replaced, left out or put in twice."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 9)):
        name = data.draw(st.sampled_from(sorted(value)))
        return value | {name: replaced(value[name], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 9)):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], replaced(value[at], data), *value[at + 1 :]]
    return data.draw(ODD)


@FUZZ
@given(st.data())
def test_any_json_is_answered(sealed: Path, bundle: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["results.json", "manifest.json", "events.jsonl"]))
    before = (sealed / name).read_text("utf-8")
    lines = before.splitlines() if name.endswith("l") else [before]
    written = "\n".join(json.dumps(replaced(json.loads(line), data)) for line in lines) + "\n"
    (bundle / name).write_text(written, "utf-8")
    if name != "manifest.json":
        assert answers(bundle)  # by the manifest as it was
        resealed(bundle)
    answers(bundle)
    shutil.copyfile(sealed / name, bundle / name)
    shutil.copyfile(sealed / "manifest.json", bundle / "manifest.json")


@FUZZ
@given(st.data())
def test_any_table_is_answered(sealed: Path, bundle: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["observations.parquet", "chain.parquet"]))
    table = pq.read_table(sealed / name)
    column = data.draw(st.sampled_from(table.column_names))
    index = table.schema.get_field_index(column)
    kind = table.schema.field(index).type
    timed = pa.types.is_timestamp(kind)
    values = (table[column].cast(pa.int64()) if timed else table[column]).to_pylist()
    odd = {
        pa.string(): st.text(max_size=5)
        | st.sampled_from(["[]", "[1,2,3,4]", '["a","b",0,"../../x"]', "{", "[" * 5_000]),
        pa.float64(): st.floats() | st.none(),
        pa.bool_(): st.booleans(),
        pa.binary(32): st.binary(min_size=32, max_size=32),
        pa.int32(): st.integers(-(2**31), 2**31 - 1),
    }.get(kind, st.integers(-(2**63), 2**63 - 1))
    values[data.draw(st.integers(0, len(values) - 1))] = data.draw(odd)
    made = pa.array(values, pa.int64()).cast(kind) if timed else pa.array(values, kind)
    pq.write_table(table.set_column(index, table.schema.field(index), made), bundle / name)
    resealed(bundle)
    answers(bundle)
    shutil.copyfile(sealed / name, bundle / name)


@FUZZ
@given(st.data())
def test_any_bytes_are_answered(sealed: Path, bundle: Path, data: st.DataObject) -> None:
    names = sorted(it.relative_to(sealed).as_posix() for it in sealed.rglob("*") if it.is_file())
    name = data.draw(st.sampled_from(names))
    content = (sealed / name).read_bytes()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    altered = content[:start] + data.draw(st.binary(max_size=30)) + content[end:]
    (bundle / name).write_bytes(altered)
    assert altered == content or answers(bundle)
    resealed(bundle)
    answers(bundle)
    with suppress(UserMistake):
        _ = Bundle(bundle).table
    shutil.copyfile(sealed / name, bundle / name)
    shutil.copyfile(sealed / "manifest.json", bundle / "manifest.json")
