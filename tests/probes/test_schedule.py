"""Order and time of questions, by a clock of the test's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from probes.action import Target
from probes.gate import Gate
from probes.inflight import Echo
from probes.netlink import COHORT
from probes.pace import SECOND_NS
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.schedule import Schedule

START_NS = 10**12


def plan(
    zones: list[ZonePermit], count: int, attempts: int, stop: Callable[[], bool] = lambda: False, **options: Any
) -> tuple[Gate, Schedule[Echo]]:
    """A gate and a schedule of ``count`` targets in each zone."""
    names = {f"192.0.{index}.{host}": zone.zone for index, zone in enumerate(zones) for host in range(1, count + 1)}
    gate = Gate(Permit("desk", names, {zone.zone: zone for zone in zones}, {}), stop=stop)
    tickets = [gate.admit(Target(address, address, zone), "query") for address, zone in names.items()]
    return gate, Schedule(gate, tickets, attempts, Echo, packets=1, size=60, **options)


def drive(schedule: Schedule[Echo], limit: int = 64) -> tuple[list[tuple[int, Echo]], list[Echo]]:
    """Everything the schedule gives out: (time, question) of what may go, and what was refused."""
    now_ns, taken, refused = START_NS, [], []
    for _ in range(100_000):
        taken += [(now_ns, question) for question in schedule.take(now_ns, limit)]
        refused += schedule.refused
        if schedule.empty:
            return taken, refused
        now_ns = max(now_ns, schedule.ready_ns)
    raise AssertionError("never ends")


def keys(questions: Iterable[Echo]) -> Counter[tuple[str, int]]:
    return Counter((question.ticket.target.id, question.attempt) for question in questions)


def test_without_limits_attempts_go_in_rounds() -> None:
    _, schedule = plan([ZonePermit("cell", "query")], 5, 3)
    taken, refused = drive(schedule)
    assert [question.attempt for _, question in taken] == [0] * 5 + [1] * 5 + [2] * 5
    assert refused == []


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.integers(1, 50)), st.one_of(st.none(), st.floats(0.2, 9))),
        min_size=1,
        max_size=3,
    ),
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(1, 32),
)
def test_every_question_comes_once_and_at_its_rate(limits: Any, count: int, attempts: int, limit: int) -> None:
    zones = [
        ZonePermit(f"z{n}", "query", packets_per_s=a, packets_per_s_per_device=b) for n, (a, b) in enumerate(limits)
    ]
    _, schedule = plan(zones, count, attempts)
    taken, refused = drive(schedule, limit)
    assert refused == []
    assert set(keys(question for _, question in taken).values()) == {1}
    assert len(taken) == len(zones) * count * attempts
    for zone in zones:
        times = [at_ns for at_ns, question in taken if question.ticket.zone.permit is zone]
        if zone.packets_per_s is not None:
            for end_ns in times:
                assert sum(end_ns - SECOND_NS < at_ns <= end_ns for at_ns in times) <= zone.packets_per_s


def test_a_slow_zone_does_not_hold_up_another() -> None:
    slow, fast = ZonePermit("slow", "query", packets_per_s=1), ZonePermit("fast", "query")
    _, schedule = plan([slow, fast], 20, 2)
    taken, _ = drive(schedule)
    assert max(at_ns for at_ns, question in taken if question.ticket.zone.permit is fast) == START_NS


def test_an_interval_spaces_attempts_at_one_target() -> None:
    _, schedule = plan([ZonePermit("cell", "query")], 3, 3, interval_ns=SECOND_NS)
    taken, _ = drive(schedule)
    times = [at_ns for at_ns, question in taken if question.ticket.target.id == "192.0.0.2"]
    assert times == [START_NS, START_NS + SECOND_NS, START_NS + 2 * SECOND_NS]


def test_a_kill_switch_hands_everything_back_once() -> None:
    thrown = []
    gate, schedule = plan([ZonePermit("cell", "query", packets_per_s=10)], 30, 3, stop=lambda: bool(thrown))
    first = schedule.take(START_NS, 64)
    schedule.again(first[0], START_NS + SECOND_NS)
    thrown.append(1)
    refused, now_ns = [], START_NS + SECOND_NS // 10
    while not schedule.empty:
        assert schedule.take(now_ns, 64) == []
        refused += schedule.refused
    assert gate.halted(now_ns)
    assert set(keys(refused).values()) == {1}
    assert len(refused) == 90 - len(first) + 1


def test_a_stopped_zone_is_handed_back_and_the_other_goes_on() -> None:
    _, schedule = plan([ZonePermit("a", "query", packets_per_s=5), ZonePermit("b", "query")], 4, 3)
    first = schedule.take(START_NS, 2)
    ticket = next(question.ticket for question in first if question.ticket.zone.permit.zone == "a")
    ticket.zone.stopped = "device-went-silent: x"
    taken, refused = drive(schedule)
    assert {question.ticket.zone.permit.zone for question in refused} == {"a"}
    assert set(keys([question for _, question in taken] + refused + first).values()) == {1}
    assert len(taken) + len(refused) + len(first) == 24


def test_a_question_put_back_comes_again() -> None:
    _, schedule = plan([ZonePermit("cell", "query")], 1, 1)
    (question,) = schedule.take(START_NS, 9)
    assert schedule.empty
    schedule.again(question, START_NS + 5)
    assert schedule.take(START_NS, 9) == []
    assert schedule.ready_ns == START_NS + 5
    assert schedule.take(START_NS + 5, 9) == [question]
    assert schedule.empty


def test_on_link_addresses_go_a_cohort_at_a_time_and_slowly() -> None:
    names = {f"198.19.{index >> 8}.{index & 255}": "cell" for index in range(1, 701)}
    gate = Gate(Permit("desk", names, {"cell": ZonePermit("cell", "query")}, {}))
    tickets = [gate.admit(Target(address, address, "cell"), "query") for address in names]
    for ticket in tickets:
        ticket.on_link = True
    schedule = Schedule(gate, tickets, 2, Echo, packets=1, size=60)
    taken, _ = drive(schedule, 512)
    assert len(taken) == 1400
    assert [question.attempt for _, question in taken[: 2 * COHORT]] == [0] * COHORT + [1] * COHORT
    new = [at_ns for at_ns, question in taken if question.attempt == 0]
    for end_ns in new:
        assert sum(end_ns - 5 * SECOND_NS < at_ns <= end_ns for at_ns in new) <= 800  # of 1024 entries


def test_what_is_given_back_lets_the_next_question_go_as_soon_as_the_rate_allows() -> None:
    """Of a price of 40 packets 39 were not used: the zone waits for the rest of that second, and not for four."""
    zone = ZonePermit("cell", "query", packets_per_s=10)
    gate = Gate(Permit("desk", {"192.0.0.1": "cell", "192.0.0.2": "cell"}, {"cell": zone}, {}))
    tickets = [gate.admit(Target(f"192.0.0.{host}", f"192.0.0.{host}", "cell"), "query") for host in (1, 2)]
    schedule = Schedule(gate, tickets, 1, Echo, packets=40, size=4000)
    (first,) = schedule.take(START_NS, 9)
    assert schedule.ready_ns > START_NS + 3 * SECOND_NS
    first.ticket.zone.refund(START_NS, 39, 3900)
    schedule.look(first.ticket, START_NS + 1)
    assert schedule.take(START_NS + 1, 9) == []
    assert START_NS + 1 < schedule.ready_ns <= START_NS + SECOND_NS
    (second,) = schedule.take(schedule.ready_ns, 9)
    assert second.ticket is not first.ticket
    assert schedule.take(START_NS + 9 * SECOND_NS, 9) == []
    assert schedule.empty
