"""What an indicator makes of observations, and what a judge makes of that.

An indicator's ``reduce`` turns a register (what the requirement speaks about) and observations into exactly one of
:class:`Ratio`, :class:`Samples`, :class:`Measurement`, :class:`Checklist`, :class:`Exposure` or :class:`Invalid`.
:func:`profiles.judge.judge` turns that into a :class:`Judgement`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from profiles.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Member:
    """One object that a requirement speaks about: a terminal of the register, a flow, an ONU, a passage, ..."""

    id: str
    basis: str = "terminal"  #: kind of object, one of :data:`profiles.indicators.OBJECTS`
    addresses: int = 1  #: how many addresses it has
    services: int = 0  #: how many TCP services are declared at each of them
    drawn: bool = True  #: False if a sample was taken and this member is not in it
    facts: tuple[tuple[str, str], ...] = ()  #: what the plant declares of it that its indicator must know
    shared: tuple[str, ...] = ()  #: further targets whose observations it is judged by, such as a control for several

    def fact(self, name: str, default: str = "") -> str:
        """What the plant declares under ``name``."""
        return dict(self.facts).get(name, default)

    @property
    def measurable(self) -> bool:
        """Whether anything can be sent to it."""
        return self.addresses > 0


@dataclass(frozen=True, slots=True)
class Register:
    """The population in a requirement's scope, all of it; a census draws every member."""

    members: tuple[Member, ...]

    @property
    def census(self) -> bool:
        """Whether every member was to be measured."""
        return all(member.drawn for member in self.members)


@dataclass(frozen=True, slots=True)
class Finding:
    """One object that does not meet the requirement, or could not be measured, and why."""

    target: str
    reason: str  #: reason code with a text in ``profiles/texts.toml``
    note: str = ""  #: facts for the reader: counts, addresses, the ICMP code


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share of objects, as integers; nothing is rounded before it is compared."""

    numerator: int
    denominator: int  #: objects with a valid measurement
    unknown: int = 0  #: objects that were owed a measurement and have none (instrument errors)
    population: int | None = None  #: size of the register when a sample was drawn; ``None`` means census
    basis: str = ""  #: which reading of the definition this is
    failing: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()  #: reason codes the reader must see beside the verdict
    facts: tuple[tuple[str, str], ...] = ()  #: further facts for the judgement, such as the other reading's counts
    at_most: Fraction | None = None  #: what the share cannot exceed, however much of another reading is unknown


@dataclass(frozen=True, slots=True)
class Samples:
    """Single values of one quantity; a lost packet is ``math.inf`` (RFC 7679 section 5)."""

    values: tuple[float, ...]
    unit: str
    unknown: int = 0  #: attempts without a valid measurement
    labels: tuple[str, ...] = ()  #: the object that each value belongs to, if the values are one for each object
    failing: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    population: int | None = None  #: as for a ratio; the values are one for each object that was drawn


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured quantity with its expanded uncertainty U, coverage factor k = 2."""

    value: float
    expanded_uncertainty: float
    unit: str
    n: int
    unknown: int = 0
    failing: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[tuple[str, float], ...] = ()  #: the objects that it sums up or averages, each with its own value
    facts: tuple[tuple[str, str], ...] = ()  #: further facts for the judgement, such as the other direction's value
    population: int | None = None  #: as for a ratio; the uncertainty holds for the mean of the whole register
    saturated: bool = False  #: whether it can be no larger, so that what asks for more than this is met by this


@dataclass(frozen=True, slots=True)
class Check:
    """One yes / no check."""

    subject: str  #: what was checked: a device, a zone that connects, a clock
    item: str  #: which check: a code with a text ``check.<item>`` in ``profiles/texts.toml``, or a name such as a zone
    passed: bool | None  #: ``None`` if it could not be made
    note: str = ""  #: facts for the reader


@dataclass(frozen=True, slots=True)
class Checklist:
    """Yes / no checks. Judged as the share that passed, or, under a limit in ``count``, by how many did not."""

    checks: tuple[Check, ...]
    failing: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """Violations seen among trials, for claims that a run can only falsify (rule R5)."""

    violations: int
    trials: int
    unknown: int = 0
    failing: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Invalid:
    """Sanity failed: this is not a measurement, whatever numbers it holds."""

    reason: str  #: reason code
    note: str = ""
    failing: tuple[Finding, ...] = ()


Reduced = Ratio | Samples | Measurement | Checklist | Exposure | Invalid


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence or coverage interval of the value, in the value's unit; ``None`` is unbounded.

    Rules R2, R4 and R5 give two one-sided bounds, each at ``confidence``; R3 gives the coverage interval of k = 2.
    """

    low: float | None
    high: float | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Bars:
    """One value for each object; ``None`` where there is none."""

    unit: str
    rows: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """The empirical distribution of many values: the share of all that are not above each of these."""

    unit: str
    points: tuple[tuple[float, float], ...]  #: value and share of all, both rising; what was lost is above all of them
    n: int  #: all values, lost ones included
    lost: int


#: Index of subject and item, outcome, and the notes of what was not passed.
Cell = tuple[int, int, bool | None, str]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Checks by subject and item; the worst of several in one cell."""

    subjects: tuple[str, ...]
    items: tuple[str, ...]
    cells: tuple[Cell, ...]
    more_subjects: int = 0  #: further subjects that are not named, none of them worse than those that are
    more_items: int = 0  #: and further items


#: What was reduced, in a form that is small enough to be kept with the result and drawn from it.
Exhibit = Bars | Curve | Matrix


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one requirement in one scope, with everything that led to it."""

    verdict: Verdict
    reason: str  #: reason code with a text in ``profiles/texts.toml``
    value: float | None = None  #: in ``unit``
    unit: str = ""
    interval: Interval | None = None
    n: int = 0  #: valid observations or objects behind the value
    numerator: int | None = None
    denominator: int | None = None
    rule: str = ""
    facts: tuple[tuple[str, str], ...] = ()  #: named facts that fill the reason's text
    failing: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    exhibit: Exhibit | None = None  #: what a reader may look at
