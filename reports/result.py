"""Results: one per planned requirement and scope, as stored, sealed and rendered. :class:`Campaign` has the version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from typing import Literal

from pydantic import Field
from pydantic import WithJsonSchema

from profiles.requirement import Threshold
from profiles.verdict import Outcome
from profiles.verdict import Verdict
from reports.exhibit import ExhibitRecord
from reports.record import Record

#: A number of any size. JSON has no infinity and no NaN; they are written as these texts, and never as ``null``.
Real = Annotated[
    float, WithJsonSchema({"anyOf": [{"type": "number"}, {"enum": ["Infinity", "-Infinity", "NaN"], "type": "string"}]})
]


class IntervalRecord(Record):
    """Confidence or coverage interval, in the result's unit; ``None`` is unbounded."""

    low: Real | None
    high: Real | None
    confidence: float


class FindingRecord(Record):
    """One object that does not meet the requirement or could not be measured."""

    target: str
    reason: str  #: reason code with a text in ``profiles/texts.toml``
    note: str = ""


class ObservationFilter(Record):
    """Selects the observations behind a result: rows whose method and target are named here."""

    methods: tuple[str, ...]
    targets: tuple[str, ...]


class Result(Record):
    """What is said of one requirement in one scope, and what it rests on."""

    item: str  #: id of the planned item, such as ``NET-RCH-E`` or ``NET-RCH-E:zone=cell-a``
    profile: str
    requirement: str
    indicator: str
    scope: dict[str, str]  #: dimension and value; empty for the requirement's whole scope
    verdict: Verdict
    reason: str  #: reason code
    facts: dict[str, str] = Field(default_factory=dict)  #: fill the reason's text
    value: Real | None = None
    unit: str = ""
    numerator: int | None = None
    denominator: int | None = None
    interval: IntervalRecord | None = None
    n: int = 0
    threshold: Threshold | None = None
    rule: str = ""
    failing: tuple[FindingRecord, ...] = ()
    notes: tuple[str, ...] = ()
    vantages: tuple[str, ...] = ()
    started_utc_ns: int | None = None
    ended_utc_ns: int | None = None
    attempts: int = 1  #: how often this item was measured in this campaign; all attempts are kept
    observations: ObservationFilter | None = None
    rows: int = 0  #: how many observations that count the filter selected when this was concluded
    exhibit: ExhibitRecord | None = None  #: what a reader may look at; none of a breakdown


class Counts(Record):
    """Coverage of the campaign: items of the plan by verdict."""

    planned: int
    verdicts: dict[Verdict, int]


class Campaign(Record):
    """Facts of the whole campaign."""

    format: Literal["plantproof-results/1"] = "plantproof-results/1"
    campaign: str  #: UUID
    plant: str  #: name of the plant
    profiles: tuple[str, ...]
    started_utc: str  #: ISO 8601 with zone
    ended_utc: str
    outcome: Outcome
    counts: Counts
    versions: dict[str, str]  #: plantproof, Python, kernel and the libraries that measured or computed
    host: str
    results: tuple[Result, ...]


def count_attempts(results: Iterable[Result]) -> int:
    """How often an item that got these ``results`` one after the other was measured; not to have run is no attempt."""
    return max(1, sum(result.verdict is not Verdict.NOT_TESTED for result in results))
