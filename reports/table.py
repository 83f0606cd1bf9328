"""The table of verdicts for a terminal: what was asked, what came out, and where to look first."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.console import ConsoleOptions
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from profiles.language import current_language
from profiles.requirement import Bilingual
from profiles.verdict import Outcome
from profiles.verdict import Verdict
from reports.figures import count as grouped
from reports.figures import interval_of
from reports.figures import misses
from reports.figures import threshold_text
from reports.figures import value_with_share
from reports.figures import worst_first
from reports.result import Result
from reports.standing import UNMEASURED
from reports.standing import Standing
from reports.waivers import Waived
from reports.wording import BY_URGENCY
from reports.wording import PILLARS
from reports.wording import SHAPES
from reports.wording import dimension
from reports.wording import note
from reports.wording import of
from reports.wording import pillar
from reports.wording import reason
from reports.wording import say
from reports.wording import verdict
from reports.wording import visible

_STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.ERROR: "magenta",
    Verdict.NOT_TESTED: "bright_black",
    Verdict.NOT_APPLICABLE: "bright_black",
    Verdict.INFO: "cyan",
}
_OUTCOME_STYLES = {
    Outcome.CONFORMANT: "bold green",
    Outcome.NONCONFORMANT: "bold red",
    Outcome.INCOMPLETE: "bold yellow",
}
_WITH_INTERVAL = 110  #: terminal columns from which the interval has room
_WITH_WORST = 80  #: and from which offenders stand in a column of their own
_WORST = 3  #: offenders named
_BREAKDOWNS = 4  #: breakdown rows shown under a requirement, worst first


def terminal_table(
    results: Sequence[Result],
    language: str | None = None,
    titles: Mapping[str, Bilingual] | None = None,
    pillars: Mapping[str, str] | None = None,
    waived: Mapping[str, Sequence[Waived]] | None = None,
) -> RenderableType:
    """The results as a rich renderable that fits itself to the terminal's width.

    Args:
        results: all results of the campaign, breakdowns included, in the plan's order.
        language: ``zh`` or ``en``; default: the chosen language.
        titles: requirement id and its title, from the profiles.
        pillars: requirement id and its pillar, by which the rows are then grouped.
        waived: by item, what waivers say of it.
    """
    return _TerminalTable(results, language or current_language(), titles or {}, pillars or {}, waived or {})


class _TerminalTable:
    """Chooses its columns when it is printed, because only then the width is known."""

    def __init__(
        self,
        results: Sequence[Result],
        language: str,
        titles: Mapping[str, Bilingual],
        pillars: Mapping[str, str],
        waived: Mapping[str, Sequence[Waived]],
    ) -> None:
        self._items = [result for result in results if not result.scope]
        self._breakdowns: dict[tuple[str, str], list[Result]] = {}
        for result in results:
            if result.scope:
                self._breakdowns.setdefault((result.profile, result.requirement), []).append(result)
        self._language = language
        self._titles = titles
        self._pillars = pillars
        self._waived = waived

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield self._table(options.max_width)
        yield Padding(self._closing(), (1, 1, 0, 1))

    def _say(self, code: str, **facts: object) -> str:
        return say(code, **facts).in_language(self._language)

    def _table(self, width: int) -> Table:
        table = Table(box=box.SIMPLE_HEAD, expand=False, pad_edge=False, padding=(0, 1), header_style="bold")
        table.add_column(self._say("table.verdict"), no_wrap=True)
        table.add_column(self._say("table.requirement"), overflow="fold", ratio=3)
        table.add_column(self._say("table.value"), justify="right", no_wrap=True)
        if self._with_interval(width):
            table.add_column(self._say("table.interval"), justify="right", no_wrap=True)
        table.add_column(self._say("table.threshold"), justify="right", no_wrap=True)
        if width >= _WITH_WORST:
            table.add_column(self._say("table.worst"), overflow="fold", ratio=4)
        for row in self._rows(width):
            table.add_row(*row)
        return table

    def _with_interval(self, width: int) -> bool:
        return width >= _WITH_INTERVAL and any(item.interval for item in self._items)

    def _rows(self, width: int) -> Iterator[list[Text]]:
        for name, items in self._groups():
            if name is not None:
                yield self._fitted(width, Text(""), self._group(name, items), None, Text(""))
            for result in items:
                if result.verdict not in UNMEASURED:
                    yield self._fitted(
                        width, self._verdict(result.verdict), self._name(result), result, self._worst(result)
                    )
                    yield from self._breakdown_rows(width, result)
        yield from self._unmeasured_rows(width)

    def _groups(self) -> Iterator[tuple[str | None, list[Result]]]:
        """The items by pillar, in the pillars' order; all of them at once where nobody told their pillars."""
        if not self._pillars:
            yield None, self._items
            return
        told = {item.item: self._pillars.get(item.requirement, "other") for item in self._items}
        for id in (*PILLARS, *sorted({*told.values()} - {*PILLARS})):
            if items := [item for item in self._items if told[item.item] == id]:
                yield pillar(id).in_language(self._language), items

    def _group(self, name: str, items: Sequence[Result]) -> Text:
        """A pillar's name, and how many of its items ended how."""
        text = Text(f"{name} ", "bold underline")
        for word in BY_URGENCY:
            if number := sum(item.verdict is word for item in items):
                text.append(" ", "not bold not underline").append_text(self._verdict(word)).append(f" {number}")
        return text

    def _breakdown_rows(self, width: int, result: Result) -> Iterator[list[Text]]:
        """Where the requirement is missed, worst first; a requirement that is met needs no parts here."""
        rows = self._breakdowns.get((result.profile, result.requirement), [])
        if result.verdict is Verdict.PASS:
            return
        shown = [row for row in worst_first(rows, result.threshold) if misses(row, result)][:_BREAKDOWNS]
        for row in shown:
            name = Text(visible(f"└ {dimension(row.scope).in_language(self._language)}"), "dim")
            yield self._fitted(width, Text(""), name, row, Text(""))
        if len(rows) > len(shown):
            folded = self._say("table.folded", count=len(rows) - len(shown))
            yield self._fitted(width, Text(""), Text(f"└ {folded}", "dim"), None, Text(""))

    def _unmeasured_rows(self, width: int) -> Iterator[list[Text]]:
        """Items never measured, all of them by id, one row per verdict and reason."""
        groups: dict[tuple[Verdict, str], list[Result]] = {}
        for result in self._items:
            if result.verdict in UNMEASURED:
                words = reason(result.reason, result.facts).in_language(self._language)
                groups.setdefault((result.verdict, words), []).append(result)
        for (word, why), members in groups.items():
            ids = ", ".join(visible(member.item) for member in members)
            text = ids if len(members) == 1 else self._say("table.same-reason", count=len(members), items=ids)
            yield self._fitted(width, self._verdict(word), Text(text, "bright_black"), None, Text(visible(why)))

    def _fitted(self, width: int, mark: Text, name: Text, result: Result | None, last: Text) -> list[Text]:
        style = "dim" if result is None or result.scope else ""
        value = Text(value_with_share(result) if result else "", style)
        interval = Text(interval_of(result) if result else "", "dim")
        limit = Text(threshold_text(result.threshold) if result and not result.scope else "", style)
        if width < _WITH_WORST:
            name = Text("\n").join([name, last]) if last.plain else name
            return [mark, name, value, limit]
        middle = [interval] if self._with_interval(width) else []
        return [mark, name, value, *middle, limit, last]

    def _verdict(self, word: Verdict) -> Text:
        return Text(f"{SHAPES[word]} {verdict(word).in_language(self._language)}", _STYLES[word])

    def _name(self, result: Result) -> Text:
        name = Text(visible(result.item), "bold")
        if title := self._titles.get(result.requirement):
            name.append(f"\n{visible(of(title).in_language(self._language))}", "not bold")
        for one in self._waived.get(result.item, ()):
            name.append(f"\n{visible(one.said().in_language(self._language))}", "italic not bold")
        return name

    def _worst(self, result: Result) -> Text:
        if not result.failing:
            words = reason(result.reason, result.facts).in_language(self._language)
            return Text("" if result.verdict in (Verdict.PASS, Verdict.INFO) else visible(words))
        lines = []
        for finding in result.failing[:_WORST]:
            words = reason(finding.reason).in_language(self._language)
            line = Text(visible(finding.target), "bold").append(f" {visible(words)}", "not bold")
            told = visible(note(finding.reason, finding.note).in_language(self._language))
            lines.append(line.append(f" ({told})", "dim not bold") if told else line)
        if len(result.failing) > _WORST:
            lines.append(Text(self._say("table.more", count=grouped(len(result.failing) - _WORST)), "dim"))
        return Text("\n").join(lines)

    def _closing(self) -> Text:
        """The outcome in one sentence, and how many items ended how."""
        standing = Standing.of(self._items)
        text = Text(f"{standing.headline().in_language(self._language)}  ", _OUTCOME_STYLES[standing.outcome])
        text.append(standing.why().in_language(self._language), "not bold default")
        text.append("\n" + self._say("table.counts", planned=standing.planned, judged=standing.judged), "not bold dim")
        for word in BY_URGENCY:
            if count := standing.counts.get(word):
                text.append(" · ", "not bold dim").append_text(self._verdict(word)).append(
                    f" {count}", "not bold default"
                )
        return text
