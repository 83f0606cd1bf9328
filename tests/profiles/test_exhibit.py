"""What of a reduced value is shown: bounded in size whatever was measured, and true to it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.exhibit import MOST_BARS
from profiles.exhibit import MOST_ITEMS
from profiles.exhibit import MOST_SUBJECTS
from profiles.exhibit import POINTS
from profiles.exhibit import exhibit
from profiles.reduced import Bars
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Curve
from profiles.reduced import Exposure
from profiles.reduced import Invalid
from profiles.reduced import Matrix
from profiles.reduced import Measurement
from profiles.reduced import Ratio
from profiles.reduced import Samples

finite = st.floats(allow_nan=False, allow_infinity=False)
checks = st.builds(
    Check,
    st.integers(0, 300).map("device-{}".format),
    st.integers(0, 100).map("item-{}".format),
    st.sampled_from([True, False, None]),
    st.text(max_size=300),
)


def test_one_value_for_each_object_is_shown_as_it_is() -> None:
    assert exhibit(Samples((2.0, math.inf), "ms", labels=("a", "b"))) == Bars("ms", (("a", 2.0), ("b", None)))
    assert exhibit(Measurement(3.0, 0.1, "dB", 2, parts=(("x", 1.0), ("y", math.nan)))) == Bars(
        "dB", (("x", 1.0), ("y", None))
    )


@pytest.mark.parametrize(
    "reduced", [Ratio(1, 2), Exposure(0, 3), Invalid("x"), Measurement(1, 0, "s", 1), Samples((), "s")]
)
def test_what_value_and_interval_say_in_full_needs_no_picture(
    reduced: Ratio | Exposure | Invalid | Measurement,
) -> None:
    assert exhibit(reduced) is None


@given(st.lists(st.one_of(finite, st.just(math.inf)), min_size=1, max_size=2000))
def test_a_distribution_keeps_its_ends_its_losses_and_its_order(values: list[float]) -> None:
    found = exhibit(Samples(tuple(values), "ms"))
    assert isinstance(found, Curve)
    usable = sorted(value for value in values if math.isfinite(value))
    assert (found.n, found.lost) == (len(values), len(values) - len(usable))
    assert len(found.points) <= POINTS + 1
    assert [value for value, _ in found.points] == sorted(value for value, _ in found.points)
    shares = [share for _, share in found.points]
    assert shares == sorted(set(shares))
    if usable:
        assert found.points[0][0] == usable[0]
        assert found.points[-1] == (usable[-1], len(usable) / len(values))
    for value, share in found.points:
        assert sum(it <= value for it in usable) >= round(share * len(values))


def test_too_many_objects_become_a_distribution() -> None:
    labels = tuple(f"modem-{index}" for index in range(MOST_BARS + 1))
    found = exhibit(Samples(tuple(map(float, range(MOST_BARS + 1))), "dBm", labels=labels))
    assert isinstance(found, Curve)


def test_a_cell_shows_the_worst_of_its_checks_and_what_they_say() -> None:
    made = [
        Check("cell-a", "dmz", True, "open"), Check("cell-a", "dmz", False, "tcp/80 leaks"),
        Check("cell-a", "office", None, "no control"), Check("cell-a", "office", True),
        Check("cell-b", "dmz", True),
    ]  # fmt: skip
    assert exhibit(Checklist(tuple(made))) == Matrix(
        ("cell-a", "cell-b"),
        ("dmz", "office"),
        ((0, 0, False, "tcp/80 leaks"), (0, 1, None, "no control"), (1, 0, True, "")),
    )


@given(st.lists(checks, min_size=1, max_size=400))
def test_a_matrix_is_bounded_and_says_what_is_left_out(made: list[Check]) -> None:
    found = exhibit(Checklist(tuple(made)))
    assert isinstance(found, Matrix)
    assert len(found.subjects) <= MOST_SUBJECTS
    assert len(found.items) <= MOST_ITEMS
    assert len(found.subjects) + found.more_subjects == len({check.subject for check in made})
    assert len(found.items) + found.more_items == len({check.item for check in made})
    assert len({cell[:2] for cell in found.cells}) == len(found.cells)
    for subject, item, passed, note in found.cells:
        same = [it for it in made if (it.subject, it.item) == (found.subjects[subject], found.items[item])]
        assert passed is (False if any(it.passed is False for it in same) else None if any(
            it.passed is None for it in same) else True)  # fmt: skip
        assert len(note) <= 200


def test_what_failed_is_kept_before_what_did_not() -> None:
    passed = [Check(f"good-{index}", "rule", True) for index in range(MOST_SUBJECTS)]
    found = exhibit(Checklist((*passed, Check("unknown", "rule", None), Check("bad", "rule", False, "open"))))
    assert isinstance(found, Matrix)
    assert found.subjects[-2:] == ("unknown", "bad")
    assert found.more_subjects == 2
    assert found.cells[-1] == (MOST_SUBJECTS - 1, 0, False, "open")
