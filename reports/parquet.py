"""Observations as columns: how a bundle keeps them (Apache Parquet, zstd), and how they are read back.

Imports pyarrow and numpy; import this module where it is used, not at the top of a command.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO
from typing import Any
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from profiles.observation import COLUMNS
from profiles.observation import Observation
from profiles.observation import from_columns
from reports.effective import miscounted
from reports.pages import pages
from reports.pages import refuse_large_footer

#: A row: the fields of an observation in order, then the run (session) it was taken in, and whether it counts.
Row = tuple[Any, ...]
Indices = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]

#: Columns of ``observations.parquet``, in order; the time of sending is a UTC timestamp here.
SCHEMA = pa.schema(
    [
        pa.field("method", pa.string(), nullable=False),
        pa.field("vantage", pa.string(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("address", pa.string(), nullable=False),
        pa.field("quantity", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("error", pa.string()),
        pa.field("window", pa.int32(), nullable=False),
        pa.field("attempt", pa.int32(), nullable=False),
        pa.field("utc", pa.timestamp("ns", tz="UTC"), nullable=False),
        pa.field("monotonic_ns", pa.int64(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("run", pa.int32(), nullable=False),
        pa.field("effective", pa.bool_(), nullable=False),
    ]
)
_FEW_VALUES = ["method", "vantage", "target", "address", "quantity", "unit", "error"]
ROW_GROUP = 65_536  #: rows; no group of a bundle has more
_PART = 1_024  #: rows turned into columns at a time: those that a processor keeps at hand
_SLICE = 8_192  #: rows turned into Python objects at a time
_SMALL = 1 << 17  #: bytes up to which a file is read at once
KEPT = 400_000  #: most rows kept as Python objects, some 100 MB
MAX_ROWS = 50_000_000  #: more than 20,000 endpoints need in a month; a bundle that claims more is refused
MAX_BYTES = 4 << 30  #: of the columns unpacked
MAX_GROWTH = 100  #: times the file's size that its columns may have, beyond :data:`FREE_BYTES`; a campaign's have 10
FREE_BYTES = 256 << 20
MAX_GROUP_BYTES = 128 << 20  #: of one row group unpacked; so many may its texts have, too, each row's for itself
_GROUP_TEXT = 16 << 20  #: characters of details after which a row group is written, however few rows it has
_DETAIL = SCHEMA.names.index("detail")


class ObservationWriter:
    """Writes rows to a Parquet file in groups; memory stays at one group."""

    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=_FEW_VALUES)
        self._pending: list[Row] = []
        self._text = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._writer.close()

    def write(self, rows: Iterable[Row]) -> None:
        """Append rows."""
        for row in rows:
            self._pending.append(row)
            self._text += len(row[_DETAIL])
            if len(self._pending) == ROW_GROUP or self._text > _GROUP_TEXT:
                self._flush()

    def _flush(self) -> None:
        if self._pending:
            parts = [_batch(self._pending[start : start + _PART]) for start in range(0, len(self._pending), _PART)]
            self._writer.write_table(pa.Table.from_batches(parts))
            self._pending.clear()
            self._text = 0


def _batch(rows: Sequence[Row]) -> pa.RecordBatch:
    by_column = zip(*rows, strict=True)
    columns = [pa.array(column, field.type) for column, field in zip(by_column, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


class ObservationTable:
    """The observations of a bundle, in memory as columns, found by method and target."""

    def __init__(self, table: pa.Table) -> None:
        table = table.unify_dictionaries().combine_chunks()
        self._length = int(table.num_rows)
        self._columns = [_column(table[name]) for name in SCHEMA.names]
        methods, targets = _FewValues(table["method"]), _FewValues(table["target"])
        self._methods, self._method_codes = methods.codes_by_value(), methods.codes
        self._targets, codes = targets.codes_by_value(), targets.codes
        self._effective = table["effective"].to_numpy()
        self._runs = table["run"].to_numpy()
        self._order = np.argsort(codes, kind="stable")
        self._bounds = np.searchsorted(codes[self._order], np.arange(len(self._targets) + 1))
        self._made = np.empty(self._length, object)
        self._is_made = np.zeros(self._length, bool)
        self._kept = 0

    @classmethod
    def read(cls, file: IO[bytes]) -> Self:
        """Read a Parquet file of exactly :data:`SCHEMA`.

        Raises:
            ValueError: if it is no such file, or larger than any campaign.
        """
        return cls(read_table(file, SCHEMA, [*_FEW_VALUES, "detail"]))

    def __len__(self) -> int:
        return self._length

    def select(self, methods: Iterable[str], targets: Iterable[str]) -> Iterator[Observation]:
        """The rows that count, of these methods and targets, in the order in which they were stored."""
        wanted = [code for target in dict.fromkeys(targets) if (code := self._targets.get(target)) is not None]
        parts = [self._order[self._bounds[code] : self._bounds[code + 1]] for code in wanted]
        if not parts:
            return
        found = np.concatenate(parts)
        of_method = np.zeros(len(self._methods) + 1, bool)  # by code
        of_method[[self._methods[method] for method in methods if method in self._methods]] = True
        found = found[of_method[self._method_codes[found]] & self._effective[found]]
        found.sort()
        for start in range(0, len(found), _SLICE):
            yield from self._observations(found[start : start + _SLICE])

    def _observations(self, indices: Indices) -> list[Observation]:
        """The rows at ``indices``; some stay made, as the parts of a scope are judged one after another."""
        lacking = indices[~self._is_made[indices]]
        if self._kept + len(lacking) > KEPT:
            self._made[:] = None
            self._is_made[:] = False
            self._kept, lacking = 0, indices
        if len(lacking):
            self._made[lacking] = from_columns([column(lacking) for column in self._columns[: len(COLUMNS)]])
            self._is_made[lacking] = True
            self._kept += len(lacking)
        found: list[Observation] = self._made[indices].tolist()
        return found

    def rows(self) -> Iterator[Row]:
        """Every row, also those of earlier attempts."""
        return self._rows(len(SCHEMA))

    def linked_rows(self) -> Iterator[Row]:
        """Every row as the hash chain has it: without whether it counts."""
        return self._rows(len(COLUMNS) + 1)

    def miscounted(self) -> int:
        """How many rows are marked as counting, or not, against the order of the sessions."""
        if not len(self) or self._runs.min() == self._runs.max():  # nothing was made again
            return int(np.count_nonzero(~self._effective))
        return miscounted(self.rows)

    def _rows(self, width: int) -> Iterator[Row]:
        """The first ``width`` columns of every row."""
        for start in range(0, self._length, _SLICE):
            part = np.arange(start, min(start + _SLICE, self._length))
            yield from zip(*(column(part) for column in self._columns[:width]), strict=True)


def read_table(file: IO[bytes], schema: pa.Schema, texts: Sequence[str]) -> pa.Table:
    """A Parquet file of exactly this schema.

    Args:
        file: may come from anybody.
        schema: the columns that it must have.
        texts: those of texts; each different text of a row group is kept once, so that they take no more memory than
            their pages.

    Raises:
        ValueError: if it is no such file, or larger than any campaign.
    """
    start = file.read(_SMALL + 1)
    source = file if len(start) > _SMALL else pa.BufferReader(start)  # a small one without going through Python again
    try:
        refuse_large_footer(source)
        written = pq.ParquetFile(source)
        if not written.schema_arrow.remove_metadata().equals(schema):
            raise ValueError(f"unexpected columns: {', '.join(written.schema_arrow.names[:20])}")
        limit = min(MAX_BYTES, FREE_BYTES + MAX_GROWTH * source.seek(0, os.SEEK_END))
        _refuse_large(source, written.metadata, limit)
        source.seek(0)
        table = _unpacked(pq.ParquetFile(source, read_dictionary=texts, metadata=written.metadata), limit)
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error)) from None
    return table


def _refuse_large(file: IO[bytes], about: pq.FileMetaData, limit: int) -> None:
    """Raise ``ValueError`` if the file is too large by what its footer and the headers of its pages say."""
    groups = [about.row_group(index) for index in range(about.num_row_groups)]
    if any(not 0 <= group.num_rows <= ROW_GROUP for group in groups):
        raise ValueError(f"a row group of more than {ROW_GROUP} rows")
    rows, unpacked = sum(group.num_rows for group in groups), 0
    for group in groups:
        part = _unpacked_size(file, group)
        unpacked += part
        if part > MAX_GROUP_BYTES or unpacked > limit:
            raise ValueError(f"too large: unpacked {unpacked} bytes or more")
    if max(about.num_rows, rows) > MAX_ROWS:
        raise ValueError(f"too large: {rows} rows")


def _unpacked_size(file: IO[bytes], group: pq.RowGroupMetaData) -> int:
    unpacked = 0
    for column in (group.column(index) for index in range(group.num_columns)):
        start = column.data_page_offset
        if column.has_dictionary_page and 0 < (first := column.dictionary_page_offset or 0) < start:
            start = first
        for page in pages(file, start, column.total_compressed_size):
            if page.entries > group.num_rows:
                raise ValueError("a dictionary of more entries than rows")
            unpacked += page.unpacked
    return unpacked


def _unpacked(written: pq.ParquetFile, limit: int) -> pa.Table:
    """All row groups; raise ``ValueError`` after the one with which they are too large."""
    groups: list[pa.Table] = []
    unpacked = 0
    for index in range(written.num_row_groups):
        # Of a few rows, threads cost more than they bring.
        parallel = written.metadata.row_group(index).num_rows > _SLICE
        group = written.read_row_group(index, use_threads=parallel)
        groups.append(group)
        unpacked += group.nbytes
        if unpacked > limit:
            raise ValueError(f"too large: more than {limit} bytes")
        if group.nbytes * group.num_rows > MAX_GROUP_BYTES:  # otherwise no texts can be too long
            _refuse_long(group)
    return pa.concat_tables(groups) if groups else written.schema_arrow.empty_table()


def _refuse_long(group: pa.Table) -> None:
    """Raise ``ValueError`` if its texts are too long, those of each row counted for themselves."""
    if (texts := sum(_characters(column) for column in group.columns)) > MAX_GROUP_BYTES:
        raise ValueError(f"too large: a row group with {texts} bytes of text")


def _characters(column: pa.ChunkedArray) -> int:
    """How many bytes the texts of a column have, each row's counted for itself."""
    if not pa.types.is_dictionary(column.type):
        return 0
    return sum(
        pc.sum(pc.binary_length(chunk.dictionary).cast(pa.int64()).take(chunk.indices)).as_py() or 0
        for chunk in column.chunks
    )


class _FewValues:
    """A column of which each value is kept once; ``None`` has the code -1."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        chunks = column.chunks
        values = chunks[0].dictionary.to_pylist() if chunks else []
        self._values = np.array([*values, None], dtype=object)
        self.codes: Indices = chunks[0].indices.fill_null(-1).to_numpy() if chunks else np.empty(0, np.int32)

    def __call__(self, indices: Indices) -> list[Any]:
        found: list[Any] = self._values[self.codes[indices]].tolist()
        return found

    def codes_by_value(self) -> dict[str, int]:
        return {value: code for code, value in enumerate(self._values[:-1])}


class _Numbers:
    """A column of numbers or truth values."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._missing = column.is_null().to_numpy() if column.null_count else None
        self._numbers = column.to_numpy()

    def __call__(self, indices: Indices) -> list[Any]:
        found: list[Any] = self._numbers[indices].tolist()
        if self._missing is not None:
            for index in np.flatnonzero(self._missing[indices]):
                found[index] = None  # which numpy cannot tell from NaN
        return found


def _column(column: pa.ChunkedArray) -> _FewValues | _Numbers:
    if pa.types.is_dictionary(column.type):
        return _FewValues(column)
    return _Numbers(column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column)
