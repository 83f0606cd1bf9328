"""A re-test: the earlier bundle beside which a campaign is shown, and of which only what is left is measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import RenderableType

from fixtures.scoping import Case
from profiles.language import Texts
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.comparison import asked_otherwise
from reports.comparison import compare
from reports.comparison import planned
from reports.comparison import show
from reports.fingerprint import fingerprint
from reports.sound import sound_bundle
from reports.store import EvidenceStore

#: Verdicts that show what a re-test need not show again; what does not apply is no verdict on the plant.
_SHOWN = frozenset({Verdict.PASS, Verdict.INFO})


class Baseline:
    """The earlier campaign."""

    def __init__(self, path: Path) -> None:
        """Open and verify the bundle at ``path``.

        Raises:
            UserMistake: if there is none, or it is not what was sealed.
        """
        self._bundle = sound_bundle(path)
        self._verdicts = {one.item: one.verdict for one in self._bundle.campaign.results}
        self._asked = planned(self._bundle)

    def is_left(self, case: Case) -> bool:
        """Whether the earlier campaign leaves ``case`` to be shown.

        It failed, was open, or was not asked, or not with this limit, in this way and of these objects: a pass shows
        nothing of another question.
        """
        if self._verdicts.get(case.id) not in _SHOWN:
            return True
        asked = self._asked.get(case.id)
        return asked is not None and any(asked_otherwise(asked, case))

    def note(self, store: EvidenceStore) -> None:
        """Keep with the evidence which campaign it is compared with."""
        facts = {"campaign": self._bundle.campaign.campaign, "fingerprint": fingerprint(self._bundle.manifest)}
        store.event("baseline", Texts.of("conformance").get("campaign.baseline", **facts), facts)

    def table(self, bundle: Bundle, language: str) -> RenderableType:
        """What changed since."""
        return show.as_table(compare(self._bundle, bundle), language)


def deselect(config: pytest.Config, items: list[pytest.Item], left: list[pytest.Item]) -> None:
    """Leave out all ``items`` but those ``left``, in pytest's own way."""
    if gone := [item for item in items if item not in left]:
        config.hook.pytest_deselected(items=gone)
        items[:] = left
