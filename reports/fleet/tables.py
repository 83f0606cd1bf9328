"""The tables of a fleet's index and of a fleet judged again: their columns, and how they are written.

Imports pyarrow; import this module where it is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from profiles.verdict import Verdict

_COUNTS = [pa.field(f"n_{word.name.lower()}", pa.int32()) for word in Verdict]

#: One row for each bundle, also for those that cannot be read; what is not known is null.
BUNDLES = pa.schema(
    [
        pa.field("bundle", pa.string(), nullable=False),  # path below the folder that was indexed
        pa.field("state", pa.string(), nullable=False),  # verified, hashed, altered or unreadable
        pa.field("reason", pa.string(), nullable=False),  # code, if altered or unreadable
        pa.field("said", pa.string(), nullable=False),  # what was found, in English
        pa.field("manifest", pa.string(), nullable=False),  # SHA-256 of manifest.json
        pa.field("files", pa.string(), nullable=False),  # SHA-256 of what the file system says of all files
        pa.field("checked_utc", pa.string(), nullable=False),
        pa.field("campaign", pa.string()),
        pa.field("plant", pa.string()),
        pa.field("organisation", pa.string()),
        pa.field("place", pa.string()),
        pa.field("profiles", pa.string()),  # names, separated by commas
        pa.field("basis", pa.string()),
        pa.field("started_utc", pa.string()),
        pa.field("ended_utc", pa.string()),
        pa.field("sealed_utc", pa.string()),
        pa.field("outcome", pa.string()),
        pa.field("planned", pa.int32()),
        *_COUNTS,
        pa.field("waivers", pa.int32()),
        pa.field("terminals", pa.int32()),
        pa.field("synthetic", pa.bool_()),
    ]
)

#: One row for each result of each bundle that is what was sealed, breakdowns included.
RESULTS = pa.schema(
    [
        pa.field("bundle", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("profile", pa.string(), nullable=False),
        pa.field("requirement", pa.string(), nullable=False),
        pa.field("pillar", pa.string(), nullable=False),
        pa.field("indicator", pa.string(), nullable=False),
        pa.field("scope", pa.string(), nullable=False),  # DIMENSION=VALUE; empty for the whole requirement
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("numerator", pa.int64()),
        pa.field("denominator", pa.int64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("op", pa.string()),
        pa.field("limit", pa.string()),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("failing", pa.int32(), nullable=False),  # how many objects
    ]
)

#: One row for each object that does not meet a requirement, or could not be measured.
FAILING = pa.schema(
    [
        pa.field("bundle", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)

#: One row for each item of each bundle that was judged again, and what the bundle itself says.
REJUDGED = pa.schema(
    [
        *(it.with_nullable(True) if it.name == "verdict" else it for it in RESULTS),  # null: not asked any more
        pa.field("plant", pa.string(), nullable=False),
        pa.field("was", pa.string()),  # verdict in the bundle; null if it was not asked there
        pa.field("was_value", pa.float64()),
    ]
)

#: One row for each bundle that was to be judged again.
REJUDGED_BUNDLES = pa.schema(
    [
        pa.field("bundle", pa.string(), nullable=False),
        pa.field("manifest", pa.string(), nullable=False),
        pa.field("state", pa.string(), nullable=False),  # rejudged, altered or unreadable
        pa.field("reason", pa.string(), nullable=False),
        pa.field("said", pa.string(), nullable=False),
        pa.field("items", pa.int32(), nullable=False),
    ]
)

_BATCH = 8_192  #: rows kept until they are written


class TableWriter:
    """Writes rows to one Parquet file; memory stays at one batch. A value of a row may be missing: it is null."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._pending: list[Mapping[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._writer.close()

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows."""
        for row in rows:
            self._pending.append(row)
            if len(self._pending) >= _BATCH:
                self._flush()

    def copy(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Append rows that are columns already, after those before them."""
        self._flush()
        if batch.num_rows:
            self._writer.write_table(pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch)

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(pa.Table.from_pylist(self._pending, schema=self._schema))
            self._pending = []
