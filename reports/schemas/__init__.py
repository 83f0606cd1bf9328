"""JSON Schemas of the bundle's records; ``python -m reports.schemas`` writes them anew from the models.

``manifest-1.json`` stays as it was: bundles of that version are only read.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from reports.answer import VerificationAnswer
from reports.bundle import Manifest
from reports.result import Campaign

_MODELS: dict[str, type[BaseModel]] = {
    "results-1.json": Campaign,
    "manifest-2.json": Manifest,
    "verification-1.json": VerificationAnswer,
}


def schemas() -> dict[str, dict[str, Any]]:
    """The schema (draft 2020-12) of each record, as its model has it now."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {name: dialect | model.model_json_schema(mode="serialization") for name, model in _MODELS.items()}


def text(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
