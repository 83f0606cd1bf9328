"""A campaign as JUnit XML, for build servers that read nothing else. A rendering: the proof is ``results.json``.

Valid against the three common readings of the format (Ant's, Jenkins' junit-4 and junit-10): only what all of them
allow is written. None of them has properties of a test case, so these stand at the suite as ``ITEM NAME``. A fourth
reading asks for totals at the root, which Ant's forbids: :func:`write_with_totals` is for its readers.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from profiles.language import current_language
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.figures import interval_of
from reports.figures import threshold_text
from reports.figures import value_of
from reports.particulars import Particulars
from reports.result import Campaign
from reports.result import Result
from reports.waivers import Waived
from reports.waivers import day_of_test
from reports.waivers import waived
from reports.wording import note
from reports.wording import reason
from reports.wording import visible

#: How a verdict is said in JUnit: a test case holds this element, or none if it passed.
ELEMENTS = {
    Verdict.PASS: None,
    Verdict.INFO: None,
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.INCONCLUSIVE: "skipped",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.NOT_TESTED: "skipped",
}
_OFFENDERS = 20  #: objects named in a failure; all of them stand in results.json


def junit(
    campaign: Campaign,
    language: str | None = None,
    told: Mapping[str, Sequence[Waived]] | None = None,
    *,
    particulars: Particulars | None = None,
    totals: bool = False,
) -> bytes:
    """The campaign as JUnit XML, one suite for each profile.

    Args:
        campaign: what is rendered.
        language: ``zh`` or ``en``; default: the chosen language.
        told: by item, what waivers say of it: told beside the verdict, which they do not change.
        particulars: what people stated, told as properties.
        totals: whether the root counts the cases of all suites.
    """
    root = ET.Element("testsuites")
    words = _Words(language or current_language(), told or {}, day_of_test(campaign), particulars or Particulars())
    for index, profile in enumerate(campaign.profiles):
        results = [result for result in campaign.results if result.profile == profile]
        root.append(_suite(campaign, index, profile, results, words))
    if totals:
        for name in ("tests", "failures", "errors"):  # of which all that allow totals have these
            root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def write_report(bundle: Bundle, out: Path, language: str | None = None) -> None:
    """Write :func:`junit` of the bundle's campaign to ``out``, which is replaced."""
    out.write_bytes(junit(bundle.campaign, language, _waived(bundle), particulars=bundle.particulars))


def write_with_totals(bundle: Bundle, out: Path, language: str | None = None) -> None:
    """Like :func:`write_report`, with totals at the root."""
    out.write_bytes(junit(bundle.campaign, language, _waived(bundle), particulars=bundle.particulars, totals=True))


def _waived(bundle: Bundle) -> dict[str, tuple[Waived, ...]]:
    return waived(bundle.campaign.results, bundle.waivers, bundle.plant) if bundle.waivers else {}


class _Words(NamedTuple):
    """What a suite is written with."""

    language: str
    waived: Mapping[str, Sequence[Waived]]
    day: date  #: on which the test ended
    particulars: Particulars

    def waivers(self, result: Result) -> list[str]:
        """What waivers say of the result."""
        return [visible(one.told(self.day).in_language(self.language)) for one in self.waived.get(result.item, ())]


def _suite(campaign: Campaign, index: int, profile: str, results: list[Result], words: _Words) -> ET.Element:
    elements = [ELEMENTS[result.verdict] for result in results]
    started, ended = (
        datetime.fromisoformat(text).astimezone(UTC) for text in (campaign.started_utc, campaign.ended_utc)
    )
    suite = ET.Element(
        "testsuite",
        name=profile,
        package="plantproof",
        id=str(index),
        timestamp=started.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname=_token(campaign.host) or "localhost",
        tests=str(len(results)),
        failures=str(elements.count("failure")),
        errors=str(elements.count("error")),
        skipped=str(elements.count("skipped")),
        time=f"{max(0.0, (ended - started).total_seconds()):.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(campaign, results, words):
        ET.SubElement(properties, "property", name=_token(name), value=visible(value))
    suite.extend(_case(result, words) for result in results)
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")
    return suite


def _properties(campaign: Campaign, results: Iterable[Result], words: _Words) -> Iterator[tuple[str, str]]:
    yield "campaign", campaign.campaign
    yield "plant", campaign.plant
    yield "outcome", campaign.outcome
    for name, stated in words.particulars.model_dump(exclude={"format"}).items():
        yield from ((name, one) for one in ([stated] if isinstance(stated, str) else stated) if one)
    for result in results:
        yield f"{result.item} verdict", result.verdict
        yield f"{result.item} value", value_of(result)
        yield f"{result.item} interval", interval_of(result)
        yield f"{result.item} threshold", threshold_text(result.threshold)
        yield f"{result.item} rule", result.rule
        for told in words.waivers(result):
            yield f"{result.item} waiver", told


def _case(result: Result, words: _Words) -> ET.Element:
    begun, ended = result.started_utc_ns, result.ended_utc_ns
    duration_s = 0.0 if begun is None or ended is None else max(0, ended - begun) / 1e9
    case = ET.Element(
        "testcase",
        classname=_token(f"{result.profile}.{result.indicator}"),
        name=_token(result.item),
        time=f"{duration_s:.3f}",
    )
    element = ELEMENTS[result.verdict]
    if element is not None:
        why = visible(reason(result.reason, result.facts).in_language(words.language))
        # Some readers take a skipped element as plain text, so it has no attributes.
        attributes = {} if element == "skipped" else {"type": result.verdict.value, "message": why}
        said = ET.SubElement(case, element, attributes)
        said.text = "\n".join([f"{result.verdict}: {why}", *words.waivers(result), *_offenders(result, words.language)])
    return case


def _offenders(result: Result, language: str) -> Iterator[str]:
    for finding in result.failing[:_OFFENDERS]:
        words = reason(finding.reason).in_language(language)
        told = note(finding.reason, finding.note).in_language(language)
        yield visible(f"{finding.target}: {words}" + (f" ({told})" if told else ""))
    if len(result.failing) > _OFFENDERS:
        yield f"… +{len(result.failing) - _OFFENDERS}"


def _token(text: str) -> str:
    """``text`` as an ``xs:token``: no line breaks, no spaces at the ends or in a row."""
    return " ".join(visible(text).split())
