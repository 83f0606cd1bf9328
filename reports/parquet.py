"""Observations as columns: how a bundle keeps them (Apache Parquet, zstd), and how they are read back.

Imports pyarrow and numpy; import this module where it is used, not at the top of a command.
"""

from __future__ import annotations

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

from profiles.observation import Observation

#: A row: the fields of an observation in order, then the run (session) it was taken in, and whether it counts.
Row = tuple[Any, ...]

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
_UTC = SCHEMA.get_field_index("utc")
_FEW_VALUES = ["method", "vantage", "target", "address", "quantity", "unit", "error"]
_ROW_GROUP = 65_536
_SLICE = 8_192  #: rows turned into Python objects at a time
MAX_ROWS = 50_000_000  #: more than 20,000 endpoints need in a month; a bundle that claims more is refused
MAX_BYTES = 8 << 30  #: of the columns unpacked, as the file's own footer states it


class ObservationWriter:
    """Writes rows to a Parquet file in groups; memory stays at one group."""

    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=_FEW_VALUES)
        self._pending: list[Row] = []

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
            if len(self._pending) == _ROW_GROUP:
                self._flush()

    def _flush(self) -> None:
        if self._pending:
            by_column = zip(*self._pending, strict=True)
            columns = [pa.array(column, field.type) for column, field in zip(by_column, SCHEMA, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))
            self._pending.clear()


class ObservationTable:
    """The observations of a bundle, in memory as columns, found by method and target."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table.unify_dictionaries().combine_chunks()
        self._targets, codes = self._dictionary("target")
        self._methods, self._method_codes = self._dictionary("method")
        self._effective = self._table["effective"].to_numpy()
        self._order = np.argsort(codes, kind="stable")
        self._bounds = np.searchsorted(codes[self._order], np.arange(len(self._targets) + 1))

    @classmethod
    def read(cls, file: IO[bytes]) -> Self:
        """Read a Parquet file of exactly :data:`SCHEMA`.

        Raises:
            ValueError: if it is no such file, or larger than any campaign.
        """
        try:
            written = pq.ParquetFile(file)
            if not written.schema_arrow.remove_metadata().equals(SCHEMA):
                raise ValueError(f"unexpected columns: {', '.join(written.schema_arrow.names[:20])}")
            about = written.metadata
            unpacked = sum(about.row_group(index).total_byte_size for index in range(about.num_row_groups))
            if about.num_rows > MAX_ROWS or unpacked > MAX_BYTES:
                raise ValueError(f"too large: {about.num_rows} rows, {unpacked} bytes")
            file.seek(0)
            table = pq.ParquetFile(file, read_dictionary=_FEW_VALUES).read()
            table.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(str(error)) from None
        return cls(table)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def select(self, methods: Iterable[str], targets: Iterable[str]) -> Iterator[Observation]:
        """The rows that count, of these methods and targets, in the order in which they were stored."""
        wanted = [code for target in dict.fromkeys(targets) if (code := self._targets.get(target)) is not None]
        parts = [self._order[self._bounds[code] : self._bounds[code + 1]] for code in wanted]
        if not parts:
            return
        found = np.concatenate(parts)
        codes = [self._methods[method] for method in methods if method in self._methods]
        found = found[np.isin(self._method_codes[found], codes) & self._effective[found]]
        found.sort()
        for start in range(0, len(found), _SLICE):
            for row in _rows(self._table.take(pa.array(found[start : start + _SLICE]))):
                yield Observation(*row[:-2])

    def rows(self) -> Iterator[Row]:
        """Every row, also those of earlier attempts."""
        for start in range(0, len(self), _SLICE):
            yield from _rows(self._table.slice(start, _SLICE))

    def runs(self) -> Sequence[int]:
        """The runs (sessions) in which anything was observed."""
        return sorted(pc.unique(self._table["run"]).to_pylist())

    def _dictionary(self, column: str) -> tuple[dict[str, int], np.ndarray[Any, np.dtype[np.int32]]]:
        if not len(self):
            return {}, np.empty(0, np.int32)
        encoded = self._table[column].chunk(0)
        return {name: code for code, name in enumerate(encoded.dictionary.to_pylist())}, encoded.indices.to_numpy()


def _rows(table: pa.Table) -> Iterator[Row]:
    table = table.set_column(_UTC, "utc", table["utc"].cast(pa.int64()))
    return zip(*(column.to_pylist() for column in table.columns), strict=True)
