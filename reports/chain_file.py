"""``chain.parquet``: the hash chain as a file of the bundle.

Imports pyarrow; import this module where it is used, not at the top of a command.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reports.bundle import ChainRecord
from reports.chain import BATCH
from reports.chain import KINDS
from reports.chain import OBSERVATIONS
from reports.chain import START
from reports.chain import Entry
from reports.chain import Linked
from reports.parquet import ROW_GROUP
from reports.parquet import refuse_large
from reports.parquet import unpacked

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
        self._table = table

    @classmethod
    def read(cls, file: IO[bytes]) -> ChainTable:
        """Read a Parquet file of exactly :data:`SCHEMA`.

        Raises:
            ValueError: if it is no such file, larger than any campaign, or no chain.
        """
        try:
            written = pq.ParquetFile(file)
            if not written.schema_arrow.remove_metadata().equals(SCHEMA):
                raise ValueError(f"unexpected columns: {', '.join(written.schema_arrow.names[:20])}")
            refuse_large(written.metadata)
            table = unpacked(written)
            table.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(str(error)) from None
        made = cls(table)
        made._require_order()
        return made

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def record(self) -> ChainRecord:
        """What a manifest says of it."""
        batches = self._table.filter(pc.equal(self._table["kind"], OBSERVATIONS))
        adopted = batches.filter(batches["adopted"])
        head = self._table["link"][len(self) - 1].as_py() if len(self) else START
        return ChainRecord(
            head=head.hex(),
            entries=len(self),
            observations=pc.sum(batches["rows"]).as_py() or 0,
            adopted=pc.sum(adopted["rows"]).as_py() or 0,
        )

    def entries(self, kind: str | None = None) -> Iterator[Linked]:
        """The entries (of one kind), each with the link before it."""
        if not len(self):
            return
        links = self._table["link"].combine_chunks()
        before = pa.concat_arrays([pa.array([START], SCHEMA.field("link").type), links.slice(0, len(links) - 1)])
        table = self._table.append_column("before", before)
        if kind is not None:
            table = table.filter(pc.equal(table["kind"], kind))
        for start in range(0, table.num_rows, _SLICE):
            part = table.slice(start, _SLICE)
            columns = [part["utc"].cast(pa.int64()) if name == "utc" else part[name] for name in SCHEMA.names]
            made = map(Entry._make, zip(*(column.to_pylist() for column in columns), strict=True))
            yield from zip(made, part["before"].to_pylist(), strict=True)

    def _require_order(self) -> None:
        numbers = self._table["entry"].to_numpy()
        if len(self) and ((numbers[0], numbers[-1]) != (1, len(self)) or (numbers[1:] - numbers[:-1] != 1).any()):
            raise ValueError("its entries are not numbered one by one")
        if unknown := set(pc.unique(self._table["kind"]).to_pylist()) - {*KINDS}:
            raise ValueError(f"entries of an unknown kind: {', '.join(sorted(unknown)[:5])}")
        rows = self._table["rows"]
        single = pc.not_equal(self._table["kind"], OBSERVATIONS)
        if pc.any(
            pc.or_(pc.and_(single, pc.not_equal(rows, 1)), pc.or_(pc.less(rows, 0), pc.greater(rows, BATCH)))
        ).as_py():
            raise ValueError("an entry cannot have so many rows")
