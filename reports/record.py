"""The base of everything that a bundle holds as JSON."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic import ConfigDict


class Record(BaseModel):
    """Base of the bundle's records."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")
