"""What a fleet's report says: tables in both languages, and pictures, made from an index alone."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from fractions import Fraction
from typing import Any

from profiles.verdict import Verdict
from profiles.weights import Weights
from reports.fleet.eligible import Field
from reports.fleet.eligible import choose
from reports.fleet.query import Index
from reports.fleet.rank import Ranking
from reports.fleet.rank import rank
from reports.fleet.shown import said
from reports.wording import BY_URGENCY
from reports.wording import PILLARS
from reports.wording import Said
from reports.wording import pillar
from reports.wording import same
from reports.wording import say
from reports.wording import verdict

Cell = Said | int | float | None
_NOTHING = Said("", "")
_TOP = 20  #: objects' reasons, groups and bundles left out that are listed
_QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class FleetTable:
    """One table."""

    id: str
    title: Said
    columns: tuple[Said, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Said = _NOTHING


@dataclass(slots=True)
class Summary:
    """Everything that the report says, whatever it is written as."""

    title: Said
    sentences: list[Said]
    tables: list[FleetTable]
    verdicts: list[tuple[str, dict[Verdict, int]]] = field(default_factory=list)  #: by item, for the picture
    scores: list[tuple[float, float]] = field(default_factory=list)  #: least and greatest, of 100


def summarise(index: Index, *, now: datetime, weights: Weights | None = None, basis: str | None = None) -> Summary:
    """Sum up the plants of an index that were asked the same.

    Raises:
        UserMistake: if there is no such basis, or weights are given and not all of them.
    """
    bundles = index.rows("SELECT * FROM bundles ORDER BY bundle")
    chosen = choose(bundles, now=now, basis=basis)
    index.keep("chosen", [str(row["bundle"]) for row in chosen.rows])
    items = _verdicts(index)
    sentences = list(_sentences(bundles, chosen))
    tables = [
        _outcomes(chosen),
        _requirements(items),
        _values(index),
        _reasons(index),
        _groups(index),
        _left_out(chosen),
    ]
    summary = Summary(said("report.title"), sentences, [it for it in tables if it.rows])
    summary.verdicts = [(item, counts) for item, _, counts in items]
    if weights is not None and chosen.rows:
        ranking = rank(index, weights, [Fraction(5), Fraction(20)], now=now, basis=chosen.basis)
        summary.tables.insert(1, _scores(ranking))
        summary.scores = [(float(100 * it.bounds.low), float(100 * it.bounds.high)) for it in ranking.places]
    else:
        summary.sentences.append(said("report.no-weights"))
    return summary


def _sentences(bundles: Sequence[dict[str, Any]], chosen: Field) -> Iterator[Said]:
    if chosen.synthetic:
        yield said("rank.synthetic")
    states = {state: sum(row["state"] == state for row in bundles) for state in _STATES}
    yield said("report.bundles", count=len(bundles), **states)
    yield said("report.plants", count=len(chosen.rows), basis=chosen.basis or "–")
    if len(chosen.bases) > 1:
        others = sum(count for basis, count in chosen.bases.items() if basis != chosen.basis)
        yield said("rank.set-apart", count=others)


_STATES = ("verified", "hashed", "altered", "unreadable")


def _outcomes(chosen: Field) -> FleetTable:
    words = ("conformant", "nonconformant", "incomplete")
    counts = [(word, sum(row["outcome"] == word for row in chosen.rows)) for word in words]
    rows = tuple((say(f"outcome.{word}"), count, _share(count, len(chosen.rows))) for word, count in counts)
    return FleetTable("outcomes", said("report.outcomes"), _columns("outcome", "plants", "share"), rows)


def _verdicts(index: Index) -> list[tuple[str, str, dict[Verdict, int]]]:
    """Item, pillar, and plants by verdict; in the order of pillars."""
    found: dict[tuple[str, str], dict[Verdict, int]] = {}
    for row in index.rows(
        "SELECT pillar, item, verdict, count(*) AS plants FROM results SEMI JOIN chosen USING (bundle) "
        "WHERE scope = '' GROUP BY ALL ORDER BY item"
    ):
        found.setdefault((row["item"], row["pillar"]), {})[Verdict(row["verdict"])] = row["plants"]
    return sorted(((item, own, counts) for (item, own), counts in found.items()), key=lambda it: _place(it[1]))


def _place(own: str) -> int:
    return PILLARS.index(own) if own in PILLARS else len(PILLARS)


def _requirements(items: Sequence[tuple[str, str, dict[Verdict, int]]]) -> FleetTable:
    columns = (*_columns("pillar", "item"), *(verdict(word) for word in BY_URGENCY), *_columns("failed-share"))
    rows: list[tuple[Cell, ...]] = []
    for item, own, counts in items:
        decided = counts.get(Verdict.PASS, 0) + counts.get(Verdict.FAIL, 0)
        share = _share(counts.get(Verdict.FAIL, 0), decided)
        rows.append((pillar(own), same(item), *(counts.get(word, 0) for word in BY_URGENCY), share))
    return FleetTable("requirements", said("report.requirements"), columns, tuple(rows), said("report.share-means"))


def _values(index: Index) -> FleetTable:
    """Quartiles of what was measured, over plants; those without a value are counted beside them.

    A share of which part is unknown has bounds and no value, also where it fails: quartiles of the others flatter.
    """
    rows = index.rows(
        "SELECT item, unit, count(*) AS plants, quantile_cont(value, [0, 0.25, 0.5, 0.75, 1]) AS quartiles "
        "FROM results SEMI JOIN chosen USING (bundle) WHERE scope = '' AND isfinite(value) "
        "GROUP BY item, unit ORDER BY item, unit"
    )
    lacking = index.rows(
        "SELECT item, count(*) AS plants FROM results SEMI JOIN chosen USING (bundle) "
        "WHERE scope = '' AND verdict <> 'not-applicable' AND NOT coalesce(isfinite(value), false) GROUP BY item"
    )
    without = {row["item"]: row["plants"] for row in lacking}
    columns = _columns("item", "unit", "plants", "least", "quarter", "median", "three-quarters", "greatest", "without")
    table = tuple(
        (same(row["item"]), same(row["unit"]), row["plants"], *row["quartiles"], without.get(row["item"], 0))
        for row in rows
    )
    return FleetTable("values", said("report.values"), columns, table, said("report.values-mean"))


def _reasons(index: Index) -> FleetTable:
    from reports.wording import reason

    rows = index.rows(
        "SELECT item, reason, count(*) AS objects, count(DISTINCT bundle) AS plants FROM failing "
        "SEMI JOIN chosen USING (bundle) GROUP BY item, reason ORDER BY objects DESC, item, reason LIMIT ?",
        [_TOP],
    )
    columns = _columns("item", "reason", "objects", "plants")
    table = tuple((same(row["item"]), reason(row["reason"]), row["objects"], row["plants"]) for row in rows)
    return FleetTable("reasons", said("report.reasons", most=_TOP), columns, table)


def _groups(index: Index) -> FleetTable:
    """Who runs the plants, and where they are, as far as the bundles say; and what fails there most often."""
    rows = index.rows(
        "WITH own AS (SELECT bundle, outcome, organisation, place FROM bundles SEMI JOIN chosen USING (bundle)), "
        "most AS (SELECT organisation, place, item, count(*) AS n FROM results JOIN own USING (bundle) "
        "WHERE scope = '' AND verdict = 'fail' GROUP BY ALL) "
        "SELECT organisation, place, count(*) AS plants, count(*) FILTER (outcome = 'conformant') AS conformant, "
        "count(*) FILTER (outcome = 'nonconformant') AS nonconformant, "
        "count(*) FILTER (outcome = 'incomplete') AS incomplete, "
        "(SELECT string_agg(item || ' ' || n, ', ' ORDER BY n DESC, item) FROM (SELECT * FROM most "
        "WHERE most.organisation = own.organisation AND most.place = own.place "
        "ORDER BY n DESC, item LIMIT 3)) AS worst "
        "FROM own GROUP BY organisation, place ORDER BY plants DESC, organisation, place LIMIT ?",
        [_TOP],
    )
    outcomes = (say("outcome.conformant"), say("outcome.nonconformant"), say("outcome.incomplete"))
    columns = (*_columns("organisation", "place", "plants"), *outcomes, *_columns("worst"))
    texts = ("organisation", "place")
    table = tuple(
        (*(same(row[it] or "–") for it in texts), row["plants"], row["conformant"], row["nonconformant"],
         row["incomplete"], same(row["worst"] or "–"))
        for row in rows
    )  # fmt: skip
    return FleetTable("groups", said("report.groups", most=_TOP), columns, table)


def _scores(ranking: Ranking) -> FleetTable:
    """Quartiles of scores, once of the least and once of the greatest that they may turn out to be."""
    rows: list[tuple[Cell, ...]] = []
    for code, ends in (("least-score", 0), ("greatest-score", 1)):
        values = sorted(it.bounds[ends] for it in ranking.places)
        quartiles = [round(float(100 * _quantile(values, Fraction(at))), 2) for at in _QUARTILES]
        rows.append((said(f"report.{code}"), *quartiles))
    columns = _columns("score", "least", "quarter", "median", "three-quarters", "greatest")
    return FleetTable("scores", said("report.scores"), columns, tuple(rows), said("rank.never"))


def _quantile(values: Sequence[Fraction], at: Fraction) -> Fraction:
    """The quantile of sorted values, between neighbours in proportion, as DuckDB's ``quantile_cont``."""
    place = at * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (place - below) * (values[above] - values[below])


def _left_out(chosen: Field) -> FleetTable:
    from reports.fleet.shown import excluded_words

    rows = tuple((same(it.row["bundle"]), excluded_words(it)) for it in chosen.excluded[:_TOP])
    title = said("report.left-out", count=len(chosen.excluded), most=_TOP)
    return FleetTable("left-out", title, _columns("bundle", "why"), rows)


def _columns(*names: str) -> tuple[Said, ...]:
    return tuple(said(f"report.column.{name}") for name in names)


def _share(count: int, of: int) -> Said:
    return same(f"{100 * count / of:.1f} %") if of else same("–")
