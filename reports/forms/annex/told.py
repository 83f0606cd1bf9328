"""What a bundle says, as sentences of a public document: counts and results, never ids, names or addresses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from profiles.indicators import find
from profiles.requirement import Requirement
from profiles.requirement import Rule
from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.figures import count
from reports.figures import interval_of
from reports.figures import number
from reports.figures import share_of
from reports.figures import threshold_text
from reports.figures import value_of
from reports.fingerprint import fingerprint
from reports.forms.form import data
from reports.pseudonyms import Pseudonyms
from reports.result import Result
from reports.standing import Standing
from reports.wording import dimension_value
from reports.wording import pillar
from reports.wording import reason
from reports.wording import say
from reports.wording import trusted
from reports.wording import verdict
from reports.wording import visible

#: How much is said of a result, from the most to the least; below the least it is only counted.
FULL, LEAST = 3, 0
_BREAKDOWNS = ("technology", "class", "segment")


@dataclass(frozen=True, slots=True)
class Measured:
    """One result with what asked for it."""

    result: Result
    requirement: Requirement | None
    parts: tuple[Result, ...]


class Told:
    """Sentences about one bundle, in Chinese."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.words: Mapping[str, Any] = data("_annex4-text")
        self._pseudonyms = Pseudonyms(bundle.plant)

    @cached_property
    def fingerprint(self) -> str:
        """Of the bundle's evidence."""
        return fingerprint(self.bundle.manifest)

    @cached_property
    def measured(self) -> list[Measured]:
        """All planned items, in the plan's order."""
        asked = {(it.profile, one.id): one for it in self.bundle.profiles for one in it.requirements}
        results = self.bundle.campaign.results
        parts: dict[tuple[str, str], list[Result]] = {}
        for one in results:
            if one.scope:
                parts.setdefault((one.profile, one.requirement), []).append(one)
        return [
            Measured(
                one, asked.get((one.profile, one.requirement)), tuple(parts.get((one.profile, one.requirement), ()))
            )
            for one in results
            if not one.scope
        ]

    def of_pillar(self, id: str) -> list[Measured]:
        """Items of one pillar."""
        return [one for one in self.measured if one.requirement is not None and one.requirement.pillar == id]

    def say(self, name: str, **facts: object) -> str:
        """A sentence of the catalogue."""
        table, _, key = name.rpartition(".")
        text: str = (self.words[table] if table else self.words["text"])[key]
        return text.format(**facts)

    def clean(self, text: str) -> str:
        """A text of the bundle with everything replaced that tells of this plant."""
        return self._pseudonyms.replaced(visible(text), "zh")

    def architecture(self) -> Iterator[str]:
        """What the plant file declares, in numbers."""
        plant = self.bundle.plant
        kinds = Counter(zone.kind for zone in plant.zones)
        told = "、".join(
            self.say(f"kind.{kind}", count=kinds[kind]) for kind in ("ot", "it", "dmz", "external") if kinds[kind]
        )
        yield self.say("zones", zones=len(plant.zones), kinds=told, conduits=len(plant.conduits))
        if plant.endpoints:
            yield self.say(
                "endpoints",
                count=count(len(plant.endpoints)),
                classes=self._split("class", Counter(one.cls for one in plant.endpoints)),
                technologies=self._split("technology", Counter(one.technology for one in plant.endpoints)),
            )
        facilities = {
            "device": len(plant.devices), "point": sum(len(area.points) for area in plant.areas),
            "flow": len(plant.flows), "clock": len(plant.clocks), "modem": len(plant.modems), "onu": len(plant.onus),
            "node": len(plant.nodes), "identifier": len(plant.identifiers),
        }  # fmt: skip
        what = "、".join(self.say(f"facility.{kind}", count=count(many)) for kind, many in facilities.items() if many)
        if what:
            yield self.say("facilities", what=what)
        yield self.say("registered")

    def campaign(self) -> Iterator[str]:
        """When and how it was measured, and what came of it."""
        campaign, standing = self.bundle.campaign, Standing.of(self.bundle.campaign.results)
        used = {vantage for one in campaign.results for vantage in one.vantages}
        zones = {one.zone for one in self.bundle.plant.vantages if one.id in used}
        yield self.say("method")
        yield self.say(
            "vantages",
            vantages=len(used),
            where=self.say("vantages_where", zones=len(zones)) if all(zones) and zones else "",
            observations=count(len(self.bundle.table)),
            when=self._when(campaign.started_utc[:10], campaign.ended_utc[:10]),
        )
        yield self.say("profile", profiles="；".join(self.clean(one.title.zh) for one in self.bundle.profiles))
        counts = standing.counts
        yield self.say(
            "standing", planned=standing.planned, passed=counts.get(Verdict.PASS, 0),
            failed=counts.get(Verdict.FAIL, 0), open=standing.open, info=counts.get(Verdict.INFO, 0),
            na=counts.get(Verdict.NOT_APPLICABLE, 0),
        )  # fmt: skip

    def unmet(self) -> str:
        """What was not met and what is open, by name: a chapter that leaves it out would not be honest."""
        names = {
            "open_fail": [one for one in self.measured if one.result.verdict is Verdict.FAIL],
            "open_undecided": [one for one in self.measured if one.result.verdict in OPEN_VERDICTS],
        }
        said = [self.say(code, names="、".join(map(self.title, some))) for code, some in names.items() if some]
        return self.say("open", what="".join(said) or self.say("open_none" if self.measured else "open_nothing"))

    def title(self, one: Measured) -> str:
        """What was asked."""
        return self.clean(one.requirement.title.zh if one.requirement else one.result.indicator)

    def result(self, one: Measured, detail: int = FULL, *, defined: bool = True) -> str:
        """One result in words.

        Args:
            one: what is told.
            detail: from :data:`LEAST`, the value and the verdict, to :data:`FULL`, with sample, parts and definition.
            defined: whether the definition may be told; once is enough for one indicator.
        """
        result = one.result
        facts = {"title": self.named(one), "verdict": verdict(result.verdict).zh, "value": value_of(result)}
        if result.value is None:
            why = self.clean(reason(result.reason, result.facts).zh).rstrip("。")
            return self.say("result.none", reason=why, **facts)
        if result.verdict is Verdict.INFO:
            said = self.say("result.info", **facts)
        else:
            facts |= {"limit": self._limit(result), "share": share_of(result)}
            said = self.say("result.counted" if share_of(result) else "result.plain", **facts)
        more = [self._spread(result), self._parts(one), self._definition(result) if defined else ""]
        return said + "".join(more[:detail])

    def named(self, one: Measured) -> str:
        """The title, and what the number is, where the title does not say it: a title may be a demand."""
        title, indicator = self.title(one), find(one.result.indicator)
        quantity = indicator.title["zh"] if indicator else ""
        if one.result.unit != "count" or not quantity or quantity in title:
            return title
        return self.say("result.under", title=title, indicator=quantity)

    def rules(self) -> str:
        """The decision rules that were used, and what the words of the verdicts mean."""
        used = {one.result.rule: one.requirement for one in self.measured if one.requirement is not None}
        told = [
            say(f"rule.{name}", confidence=number(asked.confidence * 100), quantile=asked.quantile or "–").zh
            for name, asked in used.items()
            if name in list(Rule)
        ]
        words = "；".join(f"“{verdict(word).zh}”指{say(f'verdict-means.{word.value}').zh}" for word in Verdict)
        return (self.say("rules", rules="".join(told)) if told else "") + self.say("words", words=words)

    def _limit(self, result: Result) -> str:
        if result.threshold is None:
            return ""
        source = result.threshold.source
        code = "result.source_stated" if trusted(source) else "result.source_project"
        told = self.say(code, standard=source.standard)
        return self.say("result.limit", limit=threshold_text(result.threshold), source=told)

    def _spread(self, result: Result) -> str:
        if result.interval is not None:
            confidence = number(result.interval.confidence * 100)
            return self.say("result.interval", confidence=confidence, interval=interval_of(result))
        return self.say("result.sample", n=count(result.n)) if result.n and result.denominator is None else ""

    def _parts(self, one: Measured) -> str:
        for dimension in _BREAKDOWNS:
            parts = [part for part in one.parts if list(part.scope) == [dimension] and part.value is not None]
            if len(parts) > 1:
                told = "、".join(
                    f"{_bare(dimension_value(dimension, part.scope[dimension]).zh)} {share_of(part) or value_of(part)}"
                    for part in parts
                )
                return self.say("result.breakdown", dimension=self.words["dimension"][dimension], parts=told)
        return ""

    def _definition(self, result: Result) -> str:
        try:
            return self.say("result.definition", definition=say(f"definition.{result.indicator}").zh)
        except KeyError:
            return ""

    def _split(self, dimension: str, counts: Counter[Any]) -> str:
        told = (
            f"{_bare(dimension_value(dimension, value).zh)} {count(many)} 个" for value, many in counts.most_common()
        )
        return "、".join(told)

    def pillar(self, id: str) -> str:
        """What a pillar is called."""
        return pillar(id).zh

    def _when(self, started: str, ended: str) -> str:
        return started if started == ended else self.say("period", started=started, ended=ended)


def _bare(named: str) -> str:
    """A class without its letter, which only the tool uses."""
    return re.sub(r"^[EPSX] ", "", named)
