"""Documents beside the plant: waivers and particulars, read before anything is sent and kept with the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from pathlib import Path

from fixtures.plant.model import Plant
from fixtures.scoping import Case
from profiles.document import read
from profiles.problem import Problem
from profiles.problem import UserMistake
from reports import particulars
from reports import waivers
from reports.bundle import PARTICULARS
from reports.bundle import WAIVERS
from reports.store import EvidenceStore


class Documents:
    """What the tester gave with this session; without it, what an earlier session gave goes on to count."""

    def __init__(self, plant: Plant, cases: Sequence[Case], given: Mapping[str, Path | None]) -> None:
        """Read the files.

        Args:
            plant: what is tested.
            cases: the plan.
            given: by the name of the file in the bundle, where the tester keeps it, if anywhere.

        Raises:
            UserMistake: with every mistake in a file: malformed, or a waiver that is unknown or has expired.
        """
        self._plant, self._cases = plant, cases
        self._texts: dict[str, str] = {}
        if path := given.get(WAIVERS):
            self._texts[WAIVERS] = waivers.dump(waivers.load_waivers(path, plant, cases, today()))
        if path := given.get(PARTICULARS):
            self._texts[PARTICULARS] = particulars.dump(particulars.load_particulars(path))

    def keep(self, store: EvidenceStore) -> None:
        """Keep what was given with the evidence.

        Raises:
            UserMistake: if a waiver of an earlier session has expired since and no other was given.
        """
        if WAIVERS not in self._texts and (known := store.documents().get(WAIVERS)):
            try:
                waivers.checked(read(known, WAIVERS), self._plant, self._cases, today())
            except UserMistake as mistake:
                kept = Problem("waivers-of-before", "conformance", file=WAIVERS)
                raise UserMistake([*mistake.problems, kept]) from None
        for name, text in self._texts.items():
            store.put_document(name, text)


def today() -> date:
    """The tester's day."""
    return datetime.now(UTC).astimezone().date()
