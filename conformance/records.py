"""What the program performs itself: it puts on record what it has read, and nothing is sent (``Method.here``)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from fixtures.plant.model import coverage_id
from fixtures.plant.survey import Survey
from fixtures.vantage.ledger import Ledger
from probes.action import Action
from probes.gate import Gate
from probes.methods import Method
from probes.methods import method
from probes.permit import Permit
from probes.raw import file_name
from probes.recorded import HERE
from profiles.indicators.coverage import LOG
from profiles.observation import Observation

#: Of the program itself: it may send nothing to anybody.
PERMIT = Permit(HERE, {}, {}, {})
#: Bytes of a log that are kept as raw output; 100,000 rows take about a third of that.
LOG_BYTES = 20_000_000


def is_record(action: Action) -> bool:
    """Whether the program performs it itself."""
    return method(action.method).here


def log_name(survey: Survey) -> str:
    """The name of a log among the raw outputs; empty if it is too large to be kept."""
    if not 0 < len(survey.content) <= LOG_BYTES or not survey.sha256:
        return ""
    file = PurePath(survey.file.partition("#")[0]).name
    suffix = "" if _as_text(survey.content) is not None else ".base64"
    return file_name(f"survey-log/{survey.sha256[:12]}-{file}{suffix}")


def logs_of(surveys: Sequence[Survey], actions: Sequence[Action]) -> Iterator[tuple[str, str]]:
    """Name and content of every log of which ``actions`` put rows on record, once; no name if it is too large.

    Text in UTF-8 is kept as it is, whatever else, such as a workbook, in base64 (RFC 4648 section 4).
    """
    ids = {target.id for action in actions if action.method == LOG for target in action.targets}
    named = (it for it in surveys if coverage_id(it.area, it.technology or "", it.cls or "") in ids)
    for survey in {it.sha256: it for it in named if it.content}.values():
        name = log_name(survey)
        text = _as_text(survey.content) if name else ""
        yield name, base64.b64encode(survey.content).decode() if text is None else text


def _as_text(content: bytes) -> str | None:
    """The content as text that gives the same bytes again, or ``None``."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def put_on_record(actions: Sequence[Action], keep: Callable[[list[Observation]], None]) -> None:
    """Perform actions for which nothing is sent; every target gets its observations, also if the method fails."""
    for action in actions:
        how = method(action.method)
        owed = how.observes(action.parameters)
        ledger = Ledger(replace(action, parameters={"attempts": 1, **action.parameters}), owed)
        rows = _Rows()
        asyncio.run(_perform(how, action, rows))
        keep(ledger.strike(rows.found))
        keep(ledger.settle("method-failed", "nothing was read"))


async def _perform(how: Method, action: Action, rows: _Rows) -> None:
    await how.run(action, Gate(PERMIT), rows)


class _Rows:
    """Takes what a method emits."""

    def __init__(self) -> None:
        self.found: list[Observation] = []

    def __call__(self, rows: Sequence[Observation], /) -> None:
        self.found.extend(rows)

    def raw(self, name: str, text: str) -> None:
        """Nothing said but the rows."""
