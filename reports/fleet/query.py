"""The index as tables that DuckDB queries."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.fleet.layout import BUNDLES
from reports.fleet.layout import FAILING
from reports.fleet.layout import RESULTS
from reports.fleet.layout import require_index

_TABLES = {"bundles": BUNDLES, "results": RESULTS, "failing": FAILING}
_THREADS = 2


class Index:
    """An open index: the tables ``bundles``, ``results`` and ``failing``."""

    def __init__(self, connection: Any, folder: Path) -> None:  # noqa: ANN401 - DuckDB is imported where used
        self._connection = connection
        self.folder = folder

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """What a query gives, by column."""
        done = self._connection.execute(query, list(parameters))
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def keep(self, name: str, bundles: Sequence[str]) -> None:
        """Make a table ``name`` of these bundles, with the one column ``bundle``."""
        import pyarrow as pa

        rows = pa.table({"bundle": pa.array(list(bundles), pa.string())})
        self._connection.register(f"{name}_rows", rows)
        self._connection.table(f"{name}_rows").create_view(name, replace=True)


@contextmanager
def open_index(folder: Path) -> Iterator[Index]:
    """The index in ``folder``.

    Raises:
        UserMistake: if there is none, or it is damaged or of another version; also from within the block.
    """
    import duckdb

    require_index(folder)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"SET threads = {_THREADS}")
        try:
            for name, file in _TABLES.items():
                relation = connection.read_parquet(str(folder / file))
                relation.create_view(name)
            yield Index(connection, folder)
        except duckdb.Error as error:
            facts = {"error": str(error).splitlines()[0][:200]}
            place = str(folder)
            raise UserMistake([Problem("fleet-index-damaged", "reports.fleet", file=place, facts=facts)]) from None
