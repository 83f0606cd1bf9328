"""``chain.parquet``: the hash chain as a file of the bundle.

Imports pyarrow; import this module where it is used, not at the top of a command.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import IO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reports.bundle import ChainRecord
from reports.chain import BATCH
from reports.chain import KINDS
from reports.chain import OBSERVATIONS
from reports.chain import START
from reports.chain import Entry
from reports.chain import Linked
from reports.parquet import ROW_GROUP
from reports.parquet import read_table

#: Columns, in order: those of :class:`~reports.chain.Entry`.
SCHEMA = pa.schema(
    [
        pa.field("entry", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("run", pa.int32(), nullable=False),
        pa.field("rows", pa.int32(), nullable=False),
        pa.field("utc", pa.timestamp("ns", tz="UTC"), nullable=False),
        pa.field("adopted", pa.bool_(), nullable=False),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("link", pa.binary(32), nullable=False),
    ]
)
Wanted = np.ndarray[Any, np.dtype[np.bool_]]
_SLICE = 8_192  #: entries turned into Python objects at a time


def write_chain(path: Path, entries: Iterable[Entry]) -> None:
    """Write the chain; memory stays at one row group.

    Raises:
        OSError: if it cannot be written.
    """
    rest = iter(entries)
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=["kind"]) as writer:
        while some := list(islice(rest, ROW_GROUP)):
            columns = [
                pa.array(column, field.type) for column, field in zip(zip(*some, strict=True), SCHEMA, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))


class ChainTable:
    """The chain of a bundle, in memory as columns."""

    def __init__(self, table: pa.Table) -> None:
        kinds = table["kind"].dictionary_encode().combine_chunks()
        self._table = table
        self._kinds: Sequence[str] = kinds.dictionary.to_pylist()
        self._codes = kinds.indices.to_numpy()
        self._latest: tuple[int, list[Linked]] = -1, []

    @classmethod
    def read(cls, file: IO[bytes]) -> ChainTable:
        """Read a Parquet file of exactly :data:`SCHEMA`.

        Raises:
            ValueError: if it is no such file, larger than any campaign, or no chain.
        """
        made = cls(read_table(file, SCHEMA, ["kind", "subject"]).unify_dictionaries())
        made._require_order()
        return made

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def record(self) -> ChainRecord:
        """What a manifest says of it."""
        batches = self._of(OBSERVATIONS)
        rows, adopted = self._table["rows"].to_numpy(), self._table["adopted"].to_numpy()
        head = self._table["link"][len(self) - 1].as_py() if len(self) else START
        return ChainRecord(
            head=head.hex(),
            entries=len(self),
            observations=int(rows[batches].sum()),
            adopted=int(rows[batches & adopted].sum()),
        )

    def entries(self, kind: str | None = None) -> Iterator[Linked]:
        """The entries (of one kind), each with the link before it."""
        wanted = None if kind is None else self._of(kind)
        for start in range(0, len(self), _SLICE):
            if wanted is None:
                yield from self._linked(start)
            elif wanted[start : start + _SLICE].any():
                yield from (linked for linked in self._linked(start) if linked[0].kind == kind)

    def _linked(self, start: int) -> list[Linked]:
        """The entries of one slice; the latest is kept, and that of most campaigns is their only one."""
        if self._latest[0] != start:
            part = self._table.slice(start, _SLICE)
            columns = [part["utc"].cast(pa.int64()) if name == "utc" else part[name] for name in SCHEMA.names]
            made = [Entry._make(fields) for fields in zip(*(column.to_pylist() for column in columns), strict=True)]
            first = self._table["link"][start - 1].as_py() if start else START
            before = [first, *(entry.link for entry in made[:-1])]
            self._latest = start, list(zip(made, before, strict=True))
        return self._latest[1]

    def _of(self, kind: str) -> Wanted:
        """Which entries are of a kind."""
        found: Wanted = self._codes == (self._kinds.index(kind) if kind in self._kinds else -1)
        return found

    def _require_order(self) -> None:
        numbers, rows = self._table["entry"].to_numpy(), self._table["rows"].to_numpy()
        if len(self) and ((numbers[0], numbers[-1]) != (1, len(self)) or (numbers[1:] - numbers[:-1] != 1).any()):
            raise ValueError("its entries are not numbered one by one")
        if unknown := {*self._kinds} - {*KINDS}:
            raise ValueError(f"entries of an unknown kind: {', '.join(sorted(unknown)[:5])}")
        if ((rows != 1) & ~self._of(OBSERVATIONS)).any() or (rows < 0).any() or (rows > BATCH).any():
            raise ValueError("an entry cannot have so many rows")
