"""Deviations from what was planned: those that people stated, and those that the bundle itself shows."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from profiles.verdict import Verdict
from reports.bundle import Event
from reports.result import Result
from reports.view.material import Material
from reports.wording import Said
from reports.wording import event
from reports.wording import reason
from reports.wording import same
from reports.wording import say

#: Events that say that something went otherwise than planned, in the order in which they are told.
_EVENTS = (
    "vantage-lost", "vantage-distrusted", "zone-stopped", "stopped", "kill-file",
    "method-failed", "raw-left-out", "surplus-rows",
)  # fmt: skip
#: Reasons for which a planned item was not run.
_NOT_RUN = ("interrupted", "deselected", "not-run", "no-suite")
_NAMED = 20  #: items named in one sentence


class Departures(NamedTuple):
    """Deviations, additions and exclusions."""

    stated: list[str]  #: by people; empty if nobody did
    recorded: list[Said]  #: what the bundle shows; empty if nothing did not go as planned


def departures(material: Material) -> Departures:
    """Every deviation that is known."""
    results = [result for result in material.campaign.results if not result.scope]
    recorded = [*_sessions(material.events), *_happened(material.events), *_not_run(results), *_repeated(results)]
    recorded += _excluded(material.campaign.results)
    if not results:  # of which nobody can say that it went as planned
        recorded.append(say("departure.nothing-planned"))
    return Departures(list(material.particulars.deviations), recorded)


def _sessions(events: Sequence[Event]) -> Iterator[Said]:
    sessions = max((one.run for one in events), default=1)
    if sessions > 1:
        yield say("departure.resumed", sessions=sessions, times=sessions - 1)


def _happened(events: Sequence[Event]) -> Iterator[Said]:
    """What happened, each thing once, with how often."""
    for kind in _EVENTS:
        told: dict[Said, int] = {}
        for one in events:
            if one.kind == kind:
                words = event(one.kind, one.text, one.facts)
                told[words] = told.get(words, 0) + 1
        for words, times in told.items():
            yield words if times == 1 else say("departure.times", what=words, times=times)


def _not_run(results: Sequence[Result]) -> Iterator[Said]:
    for why in _NOT_RUN:
        ids = [one.item for one in results if one.verdict is Verdict.NOT_TESTED and one.reason == why]
        if ids:
            yield say("departure.not-run", count=len(ids), why=reason(why), items=_named(ids))


def _repeated(results: Sequence[Result]) -> Iterator[Said]:
    ids = [f"{one.item} ({one.attempts})" for one in results if one.attempts > 1]
    if ids:
        yield say("departure.repeated", count=len(ids), items=_named(ids))


def _excluded(results: Sequence[Result]) -> Iterator[Said]:
    """Items, and scopes of items, that were tailored out, each with its written reason."""
    for one in results:
        if one.verdict is Verdict.NOT_APPLICABLE:
            why = one.facts.get("reason", "")
            yield say("departure.excluded", item=one.item, why=same(why) if why else reason(one.reason, one.facts))


def _named(ids: Sequence[str]) -> Said:
    shown, more = ids[:_NAMED], len(ids) - _NAMED
    parts = Said("、".join(shown), ", ".join(shown))
    if more <= 0:
        return parts
    rest = say("departure.more", count=more)
    return Said(f"{parts.zh}{rest.zh}", f"{parts.en} {rest.en}")
