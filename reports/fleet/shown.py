"""An indexing and a ranking as they are shown in a terminal, and as records for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from profiles.language import Texts
from profiles.language import current_language
from profiles.verdict import Verdict
from reports.fleet.eligible import Excluded
from reports.fleet.rank import Cut
from reports.fleet.rank import Place
from reports.fleet.rank import Ranking
from reports.fleet.rank import Within
from reports.scoring import shown
from reports.wording import Said
from reports.wording import verdict
from reports.wording import visible

if TYPE_CHECKING:
    from reports.fleet.index import Indexed
    from reports.fleet.rejudging import Rejudged

_EXCLUDED = 20  #: bundles left out that are named
_LONGEST = 120  #: characters of why


def say(code: str, **facts: object) -> str:
    """The text ``fleet.<code>`` in the chosen language."""
    return Texts.of("reports.fleet").get(f"fleet.{code}", **facts)


def said(code: str, **facts: object) -> Said:
    """The text ``fleet.<code>`` in both languages; a :class:`~reports.wording.Said` fact is filled by language."""
    texts = Texts.of("reports.fleet")

    def filled(language: str) -> str:
        own = {name: fact.in_language(language) if isinstance(fact, Said) else fact for name, fact in facts.items()}
        return texts.get(f"fleet.{code}", language, **own)

    return Said(filled("zh"), filled("en"))


def index_table(counts: Indexed, out: Path) -> Iterator[RenderableType]:
    """What an indexing found."""
    bad = counts.altered + counts.unreadable
    yield Text(say("index.done", bundles=counts.bundles, out=visible(str(out))), "bold")
    numbers = {name: getattr(counts, name) for name in type(counts).__slots__}
    yield Text(say("index.counts", **numbers), "yellow" if bad else "dim")
    if bad:
        yield Text(say("index.see", out=visible(str(out))), "yellow")


def rejudged_table(found: Rejudged, out: Path) -> Iterator[RenderableType]:
    """What became of a fleet under another profile."""
    yield Text(say("rejudged.done", bundles=found.bundles, out=visible(str(out))), "bold")
    if found.before:
        yield Text(say("rejudged.before", count=found.before), "dim")
    if found.failed:
        yield Text(say("rejudged.failed", count=found.failed), "yellow")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("item", "same", "changed"):
        table.add_column(say(f"rejudged.column.{name}"), justify="right" if name == "same" else "left")
    for item in dict.fromkeys(change["item"] for change in found.changes):
        own = [change for change in found.changes if change["item"] == item]
        same = sum(change["bundles"] for change in own if change["was"] == change["verdict"])
        turned = [_turned(change) for change in own if change["verdict"] not in (None, change["was"])]
        if dropped := sum(change["bundles"] for change in own if change["verdict"] is None):
            turned.append(say("rejudged.dropped", count=dropped))
        table.add_row(Text(visible(item)), str(same), Text(", ".join(turned)))
    yield table
    yield Text(say("rejudged.means"), "dim")


def _turned(change: dict[str, Any]) -> str:
    """Such as ``fail → pass 12``."""
    words = {name: verdict(Verdict(change[name])).in_language(current_language())
             for name in ("was", "verdict") if change[name]}  # fmt: skip
    return say("rejudged.turned" if change["was"] else "rejudged.asked-anew", count=change["bundles"], **words)


def rank_table(ranking: Ranking, rows: int) -> Iterator[RenderableType]:
    """A ranking: what it rests on, the candidates and whoever may be one, and who was left out."""
    language = current_language()
    for sentence in preamble(ranking):
        yield Text(sentence.in_language(language), "dim")
    for cut in ranking.cuts:
        yield Text(cut_sentence(ranking, cut).in_language(language), "bold")
    near = [it for it in ranking.places if any(word is not Within.OUT for pair in it.within.values() for word in pair)]
    yield _places(ranking, near[:rows])
    if len(near) > rows:
        yield Text(say("rank.more", count=len(near) - rows), "dim")
    yield Text(say("rank.rest", count=len(ranking.places) - len(near)), "dim")
    yield from _left_out(ranking)
    yield Text(say("rank.never"), "bold")


def preamble(ranking: Ranking) -> Iterator[Said]:
    """On what a ranking rests, sentence by sentence."""
    if ranking.field.synthetic:
        yield said("rank.synthetic")
    by = ranking.weights.set_by or said("rank.nobody")
    yield said("rank.basis", plants=len(ranking.places), basis=ranking.field.basis, by=by)
    if len(ranking.field.bases) > 1:
        others = sum(count for basis, count in ranking.field.bases.items() if basis != ranking.field.basis)
        yield said("rank.set-apart", count=others)
    yield said("rank.unreviewed" if ranking.reviewed is None else "rank.reviewed")


def cut_sentence(ranking: Ranking, cut: Cut) -> Said:
    """How many candidates a share has, rounded down and up, with ties and open verdicts."""
    down, up = cut.places
    facts: dict[str, object] = {
        "percent": percent(cut.percent), "plants": cut.plants, "exact": f"{float(cut.exact):g}", "down": down, "up": up
    }  # fmt: skip
    for name, rounded_up in (("", False), ("up_", True)):
        counts = ranking.count(cut, rounded_up=rounded_up)
        facts |= {f"{name}{word.value}": counts[word] for word in (Within.IN, Within.TIED, Within.UNDECIDED)}
    return said("rank.cut" if down != up else "rank.cut-whole", **facts)


def percent(share: Fraction) -> str:
    """``5 %``, as a person writes it."""
    return f"{float(share):g} %"


def within_words(pair: tuple[Within, Within]) -> Said:
    """Whether a plant is within a share, rounded down and up."""
    down, up = pair
    if down is up:
        return said(f"rank.within.{down.value}")
    return said("rank.within.differs", down=said(f"rank.within.{down.value}"), up=said(f"rank.within.{up.value}"))


def place_words(place: Place) -> str:
    """A place, or the range of places that it may turn out to be."""
    return str(place.best) if place.best == place.worst else f"{place.best}–{place.worst}"


def _places(ranking: Ranking, places: list[Place]) -> Table:
    language = current_language()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("place", "plant", "score", "outcome", "open", "left-out"):
        table.add_column(say(f"rank.column.{name}"), justify="left" if name in ("plant", "outcome") else "right")
    for cut in ranking.cuts:
        table.add_column(say("rank.column.cut", percent=percent(cut.percent)))
    texts = Texts.of("reports")
    for it in places:
        words = [within_words(it.within[cut.percent]).in_language(language) for cut in ranking.cuts]
        outcome = texts.get(f"report.outcome.{it.row['outcome']}")
        cells = [place_words(it), it.row["plant"], shown(it.bounds), outcome, len(it.score.open),
                 len(it.score.left_out), *words]  # fmt: skip
        table.add_row(*(Text(visible(str(cell))) for cell in cells))
    return table


def excluded_words(one: Excluded) -> Said:
    """Why a bundle was left out."""
    return said(f"excluded.{one.code}", said=visible(one.said[:_LONGEST]))


def _left_out(ranking: Ranking) -> Iterator[RenderableType]:
    if not ranking.excluded:
        return
    counts = Counter(it.code for it in ranking.excluded)
    kinds = " · ".join(f"{say(f'rank.kind.{code}')} {count}" for code, count in counts.most_common())
    yield Text(say("rank.excluded", count=len(ranking.excluded), kinds=kinds))
    language = current_language()
    table = Table(box=None, show_header=False, pad_edge=False)
    for one in ranking.excluded[:_EXCLUDED]:
        table.add_row(Text(visible(one.row["bundle"])), Text(excluded_words(one).in_language(language), "dim"))
    yield table
    if (more := len(ranking.excluded) - _EXCLUDED) > 0:
        yield Text(say("rank.more", count=more), "dim")


def rank_record(ranking: Ranking) -> dict[str, Any]:
    """A ranking for machines, with every plant and every bundle left out."""
    return {
        "basis": ranking.field.basis,
        "bases": ranking.field.bases,
        "synthetic": ranking.field.synthetic,
        "weights_set_by": ranking.weights.set_by,
        "review_known": ranking.reviewed is not None,
        "plants": len(ranking.places),
        "cuts": [
            {
                "percent": str(it.percent),
                "exact": str(it.exact),
                "rounded_down": it.places[0],
                "rounded_up": it.places[1],
            }
            for it in ranking.cuts
        ],
        "places": [_place_record(it) for it in ranking.places],
        "excluded": [{"bundle": it.row["bundle"], "reason": it.code, "said": it.said} for it in ranking.excluded],
    }


def _place_record(place: Place) -> dict[str, Any]:
    return {
        "bundle": place.row["bundle"],
        "plant": place.row["plant"],
        "organisation": place.row["organisation"],
        "campaign": place.row["campaign"],
        "manifest": place.row["manifest"],
        "outcome": place.row["outcome"],
        "score": {"low": str(place.bounds.low), "high": str(place.bounds.high), "points": shown(place.bounds)},
        "place": {"best": place.best, "worst": place.worst, "last_with_ties": place.last},
        "within": {
            str(share): {"rounded_down": down.value, "rounded_up": up.value}
            for share, (down, up) in place.within.items()
        },
        "open": place.score.open,
        "not_applicable": place.score.left_out,
    }
