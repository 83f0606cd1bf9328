"""Write the schemas beside this module."""

from __future__ import annotations

from pathlib import Path

from reports.schemas import schemas
from reports.schemas import text

for name, schema in schemas().items():
    Path(__file__).with_name(name).write_text(text(schema), "utf-8")
