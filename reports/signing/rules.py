"""The rules of :file:`rules.toml`, read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Rules:
    """How a campaign becomes a statement, and what signatures keep to."""

    statement_type: str
    predicate_type: str
    payload_type: str
    subject: tuple[str, ...]
    configuration: tuple[str, ...]
    result: Mapping[str, str]  #: by outcome
    tests: Mapping[str, str]  #: name of the list, by verdict
    envelope_bytes: int
    public_bytes: int
    stamp_bytes: int
    signatures: int
    certificates: int
    clock_slack: timedelta
    authority_s: float


@cache
def rules() -> Rules:
    """The rules."""
    table = tomllib.loads(files(__package__).joinpath("rules.toml").read_text("utf-8"))
    statement, limits = table["statement"], table["limits"]
    return Rules(
        statement_type=statement["type"],
        predicate_type=statement["predicate"],
        payload_type=statement["media"],
        subject=tuple(statement["subject"]),
        configuration=tuple(statement["configuration"]),
        result=table["result"],
        tests=table["tests"],
        envelope_bytes=limits["envelope_bytes"],
        public_bytes=limits["public_bytes"],
        stamp_bytes=limits["stamp_bytes"],
        signatures=limits["signatures"],
        certificates=limits["certificates"],
        clock_slack=timedelta(seconds=limits["clock_slack_s"]),
        authority_s=limits["authority_s"],
    )
