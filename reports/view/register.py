"""The register: every object of the plant, which items ask for it, and what came of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pydantic import ValidationError

from fixtures.scoping import Case
from fixtures.scoping import plan
from profiles.indicators import find
from profiles.problem import UserMistake
from profiles.reduced import Member
from profiles.verdict import Verdict
from reports.result import Result
from reports.view.listing import Thing
from reports.view.material import Material
from reports.wording import Said
from reports.wording import same
from reports.wording import say


class State(StrEnum):
    """How an object stands, by the items that name it among what fails or could not be measured."""

    FAIL = "fail"  #: an item that is not met names it
    OPEN = "open"  #: an item without a conclusion does
    NOTED = "noted"  #: only items that are met, or only reported, do
    CLEAR = "clear"  #: an item measured it, and none names it
    UNMEASURED = "unmeasured"  #: items ask for it, and none of them measured it
    UNASKED = "unasked"  #: no item that applies asks for it


#: What needs action first, and the mark of a verdict that stands for it.
STATES: Mapping[State, Verdict] = {
    State.FAIL: Verdict.FAIL,
    State.OPEN: Verdict.INCONCLUSIVE,
    State.UNMEASURED: Verdict.NOT_TESTED,
    State.NOTED: Verdict.INFO,
    State.CLEAR: Verdict.PASS,
    State.UNASKED: Verdict.NOT_APPLICABLE,
}
_NAMED_BY = {
    Verdict.FAIL: State.FAIL,
    Verdict.PASS: State.NOTED,
    Verdict.INFO: State.NOTED,
    Verdict.NOT_APPLICABLE: State.NOTED,
}
#: Verdicts of items that measured what they asked for.
_MEASURED = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.INFO})
_ORDER = list(STATES)


class Asked(NamedTuple):
    """One item that asks for an object."""

    item: int  #: place among the items
    drawn: bool  #: False if a sample was taken that it is not in


class Tallied(NamedTuple):
    """Objects of one part of the plant by state."""

    name: Said
    total: int
    counts: list[int]  #: in the order of :data:`STATES`


class RegisterView(NamedTuple):
    """All objects in numbers."""

    total: int
    states: list[tuple[State, Verdict, Said, Said, int]]  #: state, its mark, its word, what it means, how many
    by_zone: list[Tallied]
    by_class: list[Tallied]


class Asking:
    """Which items ask for which objects, worked out by groups: objects that the same items ask for share one entry.

    Args:
        groups: objects with whether they were drawn, and the places of the items that ask for exactly these.
    """

    def __init__(self, groups: Iterable[tuple[Iterable[tuple[str, bool]], Sequence[int]]]) -> None:
        belongs: dict[str, list[int]] = {}
        places = []
        for number, (members, asking) in enumerate(groups):
            places.append(asking)
            for id, drawn in members:
                belongs.setdefault(id, []).append(2 * number + drawn)
        entries: dict[tuple[int, ...], int] = {(): 0}
        self._entry_of = {id: entries.setdefault(tuple(codes), len(entries)) for id, codes in belongs.items()}
        self.entries: list[tuple[Asked, ...]] = [  #: the first is that of objects for which no item asks
            tuple(sorted(Asked(place, bool(code & 1)) for code in codes for place in places[code >> 1]))
            for codes in entries
        ]

    def entry(self, id: str) -> int:
        """The place in :attr:`entries` of what asks for the object."""
        return self._entry_of.get(id, 0)

    def of(self, id: str) -> tuple[Asked, ...]:
        """The items that ask for the object, in order."""
        return self.entries[self.entry(id)]


def asked(material: Material) -> Asking:
    """By object, the items that count it, as the plan has it."""
    whole = [result for result in material.campaign.results if not result.scope]
    planned = _planned(material)
    alike: dict[tuple[object, ...], list[_Alike]] = {}
    for place, result in enumerate(whole):
        case = planned.get(result.item)
        wanted = case.register.members if case else _observed(result)
        # Of the same members the comparison looks at no more than whether each is the same object.
        known = alike.setdefault(_question(case), [])
        found = next((one for one in known if one.wanted == wanted), None)
        if found is None:
            found = _Alike(wanted, case, [])
            known.append(found)
        found.places.append(place)
    return Asking((one.members(), one.places) for those in alike.values() for one in those)


def state_of(asks: Iterable[Asked], named: Iterable[int], verdicts: Sequence[Verdict]) -> State:
    """How an object stands.

    Args:
        asks: the items that ask for it.
        named: places of the items that name it among what fails or could not be measured.
        verdicts: of all items.
    """
    found = {_NAMED_BY.get(verdicts[place], State.OPEN) for place in named}
    if found:
        return min(found, key=_ORDER.index)
    asking = [(verdicts[one.item], one.drawn) for one in asks]
    if any(drawn and verdict in _MEASURED for verdict, drawn in asking):
        return State.CLEAR
    return State.UNMEASURED if any(it is not Verdict.NOT_APPLICABLE for it, _ in asking) else State.UNASKED


def view_register(things: Sequence[Thing], states: Sequence[State]) -> RegisterView:
    """The objects in numbers."""
    counts = Counter(states)
    return RegisterView(
        total=len(things),
        states=[
            (state, mark, say(f"register.{state}"), say(f"register.{state}-means"), counts[state])
            for state, mark in STATES.items()
        ],
        by_zone=_tallied((same(thing.zone), state) for thing, state in zip(things, states, strict=True)),
        by_class=_tallied((thing.cls, state) for thing, state in zip(things, states, strict=True)),
    )


def _tallied(pairs: Iterable[tuple[Said, State]]) -> list[Tallied]:
    counted: dict[Said, Counter[State]] = {}
    for name, state in pairs:
        counted.setdefault(name, Counter())[state] += 1
    return [
        Tallied(name if name.zh else same("–"), found.total(), [found[state] for state in STATES])
        for name, found in counted.items()
    ]


def _planned(material: Material) -> dict[str, Case]:
    """The plan's items; none if no plan follows, as another version's bundle may have it."""
    try:
        return {case.id: case for case in plan(material.plant, material.profiles) if not case.scope}
    except UserMistake:
        return {}


class _Alike(NamedTuple):
    """Items that ask the same of the same members, and so count the same ones."""

    wanted: tuple[Member, ...] | tuple[str, ...]
    case: Case | None  #: the first of them; none if no plan tells who was asked for
    places: list[int]  #: of all of them

    def members(self) -> Iterable[tuple[str, bool]]:
        """Those that they count, and whether they were drawn."""
        return _members(self.case) if self.case else ((str(id), True) for id in self.wanted)


def _question(case: Case | None) -> tuple[object, ...]:
    """What tells, beside its register, which members an item counts."""
    return (case.requirement.indicator, repr(case.requirement.parameters)) if case else ()


def _members(case: Case) -> Iterable[tuple[str, bool]]:
    """The members that the item counts, and whether they were drawn."""
    indicator = find(case.requirement.indicator)
    members: Iterable[Member] = case.register.members
    if indicator is not None and indicator.reduce is not None:
        try:
            parameters = indicator.parameters.model_validate(case.requirement.parameters)
        except ValidationError:
            return ((member.id, member.drawn) for member in members)
        members = (member for member in members if indicator.counts(member, parameters))
    return ((member.id, member.drawn) for member in members)


def _observed(result: Result) -> tuple[str, ...]:
    return result.observations.targets if result.observations else ()
