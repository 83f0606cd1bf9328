"""A campaign: the plan, the actions that measure it, and the results, joined over one evidence store."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

from conformance.bulk import Bulk
from conformance.bulk import Priced
from conformance.bulk import owed
from conformance.records import PERMIT
from conformance.records import is_record
from conformance.records import logs_of
from conformance.records import put_on_record
from conformance.spending import remaining
from conformance.suite import can_be_measured
from fixtures.credentials import resolve
from fixtures.plant.model import Plant
from fixtures.scope import permits
from fixtures.scoping import Case
from fixtures.scoping import plan
from fixtures.vantage import Event
from fixtures.vantage import RawOutput
from fixtures.vantage import VantagePool
from probes.action import Action
from probes.methods import method
from probes.recorded import HERE
from profiles.indicators.coverage import LOG
from profiles.observation import Observation
from profiles.requirement import Profile
from reports.rejudge import conclude
from reports.rejudge import not_tested
from reports.result import Result
from reports.store import EvidenceStore

#: Events that the tester must be told at the end, besides finding them in the evidence.
REMARKABLE = frozenset(
    {"vantage-lost", "vantage-distrusted", "method-failed", "zone-stopped", "raw-left-out", "kill-file"}
)


class Watch(Protocol):
    """Somebody who watches a long collection and may stop it."""

    def begin(self, actions: Sequence[Action]) -> None:
        """``actions`` are about to run."""

    def seen(self, observations: Sequence[Observation]) -> None:
        """``observations`` have arrived and are durable."""

    def end(self) -> None:
        """The collection is over."""

    def stop_requested(self) -> bool:
        """Whether all sending is to end now."""


class Campaign:
    """What is planned for a plant under some profiles, and how far it is.

    Planning (:meth:`consider`, :meth:`enlist`, :meth:`priced`) sends nothing; measuring needs :meth:`open`.
    """

    def __init__(self, plant: Plant, profiles: Sequence[Profile]) -> None:
        self.plant = plant
        self.profiles = tuple(profiles)
        self.cases: dict[str, Case] = {case.id: case for case in plan(plant, profiles)}
        self.permits = permits(plant) | {HERE: PERMIT}
        self._asked: dict[str, tuple[Action, ...]] = {}
        self._enlisted: set[str] = set()
        self._concluded: set[str] = set()
        self._bulk = Bulk()
        self._logs: set[str] = set()  #: raw outputs of walk tests that are kept
        self.remarks: list[str] = []  #: what happened at vantage points that the tester must be told
        self._open = ExitStack()

    def consider(self, case: Case, actions: Sequence[Action]) -> None:
        """Note what the suite of ``case`` wants measured, whether or not the case is selected.

        Raises:
            UserMistake: if it cannot be measured together with what others want.
        """
        self._asked[case.id] = tuple(actions)
        self._bulk.agree(actions)

    def enlist(self, case: Case) -> None:
        """Take ``case``, which was considered, into the run."""
        self._enlisted.add(case.id)
        self._bulk.add(self._asked[case.id])

    def priced(self) -> list[Priced]:
        """Every action of the enlisted cases, merged, with its cost."""
        return [
            Priced(action, method(action.method).cost(action, self.permits[action.vantage])) for action in self._bulk
        ]

    def open(self, open_store: Callable[[], EvidenceStore], *, resume: bool) -> None:
        """Open the evidence store, and the vantage points that have something left to measure.

        A new campaign opens its vantage points first, so that one that cannot be reached leaves no evidence of a
        campaign that never was.

        Raises:
            UserMistake: if either cannot be opened; nothing has been sent to the plant then.
        """
        if resume:
            self.store = self._open.enter_context(open_store())
        due = owed(list(self._bulk), self.store.missing) if resume else self._bulk
        needed = {action.vantage for action in due if not is_record(action)}
        asked = (action for actions in self._asked.values() for action in actions)
        permits = remaining(self.permits, self.store, self._bulk.agreed, asked) if resume else self.permits
        methods = {id: {action.method for action in self._bulk if action.vantage == id} for id in needed}
        credentials = resolve(self.plant, (action for action in self._bulk if action.vantage in needed))
        whole = {id: replace(permits[id], credentials=credentials.get(id, {})) for id in needed}
        pool = VantagePool.open(self.plant, whole, methods=methods)
        self._pool = self._open.enter_context(pool)
        if not resume:
            self.store = self._open.enter_context(open_store())
        for event in self._pool.events:
            self._note(event)

    def leave(self) -> None:
        """Release the vantage points: nothing is sent any more; the store stays open, to be sealed."""
        self._pool.close()

    def close(self) -> None:
        """Release the vantage points and the store; what was measured stays."""
        self._open.close()

    def measure(self, case: Case, watch: Watch) -> Result:
        """Collect what is still missing for ``case``, judge it on everything observed, and keep the result."""
        self._collect(case, watch)
        result = conclude(case, self.store.observations)
        if not self.stopped(watch):
            self.store.put_result(result)
            self._concluded.add(case.id)
        return result

    def stopped(self, watch: Watch) -> bool:
        """Whether sending has ended for good: as asked, or by a stop file."""
        return watch.stop_requested() or bool(self._pool.stopped)

    def _collect(self, case: Case, watch: Watch) -> None:
        """Run what is missing of the merged actions that ``case`` is part of, all ends of what takes several."""
        todo = owed(self._bulk.take(self._asked[case.id]), self.store.missing)
        if not todo:
            return

        def keep(observations: list[Observation]) -> None:
            self.store.append(observations)
            watch.seen(observations)

        watch.begin(todo)
        try:
            self._record([action for action in todo if is_record(action)], keep)
            probed = [action for action in todo if not is_record(action)]
            self._pool.run(
                probed, on_rows=keep, on_event=self._note, should_stop=watch.stop_requested, on_raw=self._keep_raw
            )
        finally:
            watch.end()

    def _record(self, actions: Sequence[Action], keep: Callable[[list[Observation]], None]) -> None:
        """Put on record what was read, and before it the logs themselves."""
        for name, text in logs_of(self.plant.surveys, actions):
            if name in self._logs:
                continue
            self._logs.add(name)
            if name:
                self.store.put_raw(HERE, LOG, 0, name, text)
            else:
                self._note(Event.of("raw-left-out", HERE, {"method": LOG, "count": 1}))
        put_on_record(actions, keep)

    def _keep_raw(self, said: RawOutput) -> None:
        self.store.put_raw(said.vantage, said.method, said.window, said.name, said.text)

    def _note(self, event: Event) -> None:
        facts = {name: str(value) for name, value in event.facts.items()}
        self.store.event(event.kind, event.text, {"vantage": event.vantage} | facts)
        if event.kind in REMARKABLE:
            self.remarks.append(event.text)

    def unreached(self) -> list[Result]:
        """For every planned item without a result, a ``not-tested`` one that says why."""
        return [self._unreached(case) for case in self.cases.values() if case.id not in self._concluded]

    def _unreached(self, case: Case) -> Result:
        if not can_be_measured(case):
            return not_tested(case, "no-suite")
        return not_tested(case, "interrupted" if case.id in self._enlisted else "deselected")
