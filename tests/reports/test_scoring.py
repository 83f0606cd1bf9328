"""A score as it is shown."""

from __future__ import annotations

from fractions import Fraction

import pytest

from profiles.score import Bounds
from reports.scoring import shown


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Fraction(1), "100.00"),
        (Fraction(0), "0.00"),
        (Fraction(7, 8), "87.50"),
        (Fraction(2, 3), "66.67"),
        (Fraction(999_999, 1_000_000), "99.99"),  # something fails
        (Fraction(1, 1_000_000), "0.01"),  # something passes
    ],
)
def test_no_end_is_shown_that_was_not_reached(score: Fraction, text: str) -> None:
    assert shown(Bounds(score, score)) == text


def test_bounds_contain_what_was_computed() -> None:
    assert shown(Bounds(Fraction(1, 3), Fraction(2, 3))) == "33.33–66.67"
