"""Parquet files that unpack to gigabytes, verified by a process that is watched."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from profiles.problem import UserMistake
from reports import chain_file
from reports import parquet
from reports.bundle import Bundle
from reports.pages import pages

MOST_MB = 500  #: of memory that verifying a bomb may take; a small bundle takes some 130
TEXT = "x" * 1_000_000
ROWS = 65_536

#: Verifies in a process that could not take much more than it should, and says what it took.
CHILD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
from reports.verify import verify
found = [(one.code, one.place, one.text()) for one in verify(sys.argv[1]).alterations]
# Not ru_maxrss, which begins with what the process that started this one held.
peak = next(line for line in open("/proc/self/status", encoding="ascii") if line.startswith("VmHWM"))
print(json.dumps({"found": found, "mb": int(peak.split()[1]) >> 10}))
"""


@pytest.fixture
def bundle(evidence: Any) -> Path:
    found: Path = evidence.sealed().path
    return found


def repeated(table: pa.Table, rows: int, **columns: Any) -> pa.Table:
    """The first row so many times, with some columns in another way."""
    first = table.slice(0, 1)
    made = {name: first[name].combine_chunks().take(pa.array([0] * rows)) for name in table.column_names}
    return pa.table(made | {name: column for name, column in columns.items() if name in made})


def written(path: Path, schema: pa.Schema, table: pa.Table, **how: Any) -> None:
    """The table with the names, types and demands of ``schema``, as one row group."""
    fields = [pa.field(field.name, table[field.name].type, field.nullable) for field in schema]
    made = pa.schema(fields)
    with pq.ParquetWriter(path, made, compression="zstd", store_schema=False, **how) as writer:
        writer.write_table(pa.Table.from_arrays([table[field.name] for field in schema], schema=made))


def one_text(bundle: Path, name: str, schema: pa.Schema, column: str) -> None:
    """65 GB: a dictionary of one long text, which every row has."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), pa.array([TEXT]))
    numbers = {"entry": pa.array(range(1, ROWS + 1)), "attempt": pa.array(range(ROWS), pa.int32())}
    written(bundle / name, schema, repeated(pq.read_table(bundle / name), ROWS, **numbers, **{column: text}))


def one_beginning(bundle: Path, name: str, schema: pa.Schema, column: str) -> None:
    """2 GB: texts of which only the ends differ, and only those are written."""
    text = pa.chunked_array([pa.array([f"{TEXT}{number}" for number in range(100)])] * 20)
    table = repeated(pq.read_table(bundle / name), len(text), **{column: text})
    how = {"use_dictionary": False, "column_encoding": {column: "DELTA_BYTE_ARRAY"}}
    written(bundle / name, schema, table, **how)


def packed_well(bundle: Path, name: str, schema: pa.Schema, column: str) -> None:
    """3 GB of texts that pack well, in a file that states 1 kB."""
    text = pa.chunked_array([pa.array([TEXT] * 30)] * 100)
    table = repeated(pq.read_table(bundle / name), len(text), **{column: text})
    written(bundle / name, schema, table, use_dictionary=False, write_statistics=False)
    lie(bundle / name, 1_000)


def lie(path: Path, said: int) -> None:
    """Let the footer state another size of the row group, in as many bytes (Thrift's numbers may be padded)."""
    content = path.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    true = pq.read_metadata(path).row_group(0).total_byte_size
    number, footer = varint(2 * true), content[start:]
    assert footer.count(number) >= 1
    path.write_bytes(content[:start] + footer.replace(number, varint(2 * said, len(number))))
    assert pq.read_metadata(path).row_group(0).total_byte_size == said


def varint(number: int, width: int = 1) -> bytes:
    found = bytearray()
    while number or len(found) < width:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found[-1] &= 0x7F
    return bytes(found)


@pytest.mark.parametrize("made", [one_text, one_beginning, packed_well])
@pytest.mark.parametrize(
    ("name", "schema", "column"),
    [("observations.parquet", parquet.SCHEMA, "detail"), ("chain.parquet", chain_file.SCHEMA, "subject")],
    ids=["observations", "chain"],
)
def test_a_bomb_is_refused_in_little_memory(
    bundle: Path, made: Callable[..., None], name: str, schema: pa.Schema, column: str
) -> None:
    made(bundle, name, schema, column)
    assert (bundle / name).stat().st_size < 1_000_000
    child = subprocess.run([sys.executable, "-c", CHILD, bundle], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    told = json.loads(child.stdout)
    assert [code for code, place, _ in told["found"] if place == name] == ["file-altered", "file-malformed"]
    assert told["mb"] < MOST_MB


def test_rows_of_few_bytes_are_given_up_when_they_become_many(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bundle / "observations.parquet"
    table = repeated(pq.read_table(path), ROWS).cast(parquet.SCHEMA)
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(5):
            writer.write_table(table)
    read: list[int] = []
    real = pq.ParquetFile.read_row_group
    monkeypatch.setattr(pq.ParquetFile, "read_row_group", lambda it, at, **how: read.append(at) or real(it, at, **how))
    monkeypatch.setattr("reports.parquet.FREE_BYTES", 2 * 65 * ROWS)
    with pytest.raises(UserMistake, match="too large: more than"):
        _ = Bundle(bundle).table
    assert 0 < len(read) < 5


def test_a_footer_that_would_take_much_memory_is_not_read(bundle: Path) -> None:
    path = bundle / "observations.parquet"
    path.write_bytes(path.read_bytes()[:-8] + (64 << 20).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(UserMistake, match="a footer of 67108864 bytes"):
        _ = Bundle(bundle).table


def test_pages_are_those_that_the_file_has(bundle: Path) -> None:
    with (bundle / "observations.parquet").open("rb") as file:
        group = pq.ParquetFile(file).metadata.row_group(0)
        for column in (group.column(index) for index in range(group.num_columns)):
            start = min(filter(None, (column.dictionary_page_offset, column.data_page_offset)))
            found = list(pages(file, start, column.total_compressed_size))
            headers = column.total_uncompressed_size - sum(page.unpacked for page in found)
            assert 0 < headers < 100 * len(found)  # which the file's own sum counts as well
            assert len(found) == 1 + column.has_dictionary_page


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (b"", "cut"),
        (b"\x15\x00\x15\x04\x15\x04", "cut"),
        (b"\x15\x00\x15\x04\x15\x04\x00", "no known kind"),
        (b"\x15\x00\x15\x04\x15\x04\x05\x04\x08\x00", "twice"),  # the size again, which another reader might believe
        (b"\x15\x00\x15\x04\x15\x04\x2c\x15\x02\x15\x0e\x00\x00", "encoding 7"),
        (b"\x15\x00\x15\x04\x15\x04\x2c\x15\x02\x15\x00\x00\x00", "beyond their column"),
        (b"\x15\x00\x15\x03\x15\x04\x2c\x15\x02\x15\x00\x00\x00", "lacks a number"),
        (b"\x15\x00\x15\x04\x15\x04" + b"\x1c" * 40, "too deep"),
        (b"\x15\x00\x18\xff\xff\x03", "cut"),
        (b"\x15\x00\x1b\x00", "malformed"),
        (b"\x15" + b"\xff" * 20, "malformed"),
    ],
)
def test_a_page_that_says_something_else_is_refused(tmp_path: Path, header: bytes, error: str) -> None:
    path = tmp_path / "pages"
    path.write_bytes(b"PAR1" + header)
    with path.open("rb") as file, pytest.raises(ValueError, match=error):
        list(pages(file, 4, max(1, len(header))))


def test_long_details_are_written_in_more_row_groups_and_read_back(bundle: Path, tmp_path: Path) -> None:
    row = next(Bundle(bundle).table.rows())
    path = tmp_path / "long.parquet"
    with parquet.ObservationWriter(path) as writer:
        writer.write((*row[:12], f"{TEXT}{number}", *row[13:]) for number in range(40))
    assert pq.read_metadata(path).num_row_groups == 3
    with path.open("rb") as file:
        table = parquet.ObservationTable.read(file)
    assert [row[12][-2:] for row in table.rows()] == [f"x{number}"[-2:] for number in range(40)]


def test_a_chain_of_several_row_groups_is_one_chain(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chained = Bundle(bundle).read_chain()
    monkeypatch.setattr("reports.chain_file.ROW_GROUP", 3)
    chain_file.write_chain(bundle / "again.parquet", [entry for entry, _ in chained.entries()])
    assert pq.read_metadata(bundle / "again.parquet").num_row_groups > 2
    with (bundle / "again.parquet").open("rb") as file:
        again = chain_file.ChainTable.read(file)
    assert list(again.entries()) == list(chained.entries())
    assert again.record() == chained.record()
