"""Observations made many at once are those made one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.observation import COLUMNS
from profiles.observation import Observation
from profiles.observation import from_columns

_TEXTS, _NUMBERS = st.text(max_size=3), st.integers(0, 2**62)
_OBSERVATIONS = st.builds(
    Observation, _TEXTS, _TEXTS, _TEXTS, _TEXTS, _TEXTS, st.none() | st.floats(allow_nan=False), _TEXTS,
    st.none() | _TEXTS, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, _TEXTS,
)  # fmt: skip


@given(st.lists(_OBSERVATIONS, min_size=1, max_size=5))
def test_columns_make_the_observations_whose_rows_they_are(observations: list[Observation]) -> None:
    columns = list(zip(*(it.row() for it in observations), strict=True))
    made = from_columns(columns)
    assert made == observations
    assert [it.row() for it in made] == [it.row() for it in observations]
    with pytest.raises(AttributeError):
        made[0].value = 1.0  # type: ignore[misc]


def test_no_rows_are_no_observations() -> None:
    assert from_columns([[] for _ in COLUMNS]) == []


@pytest.mark.parametrize("lengths", [[1] * 12, [1] * 14, [1] * 12 + [2], []])
def test_columns_that_make_no_rows_are_refused(lengths: list[int]) -> None:
    with pytest.raises(ValueError, match="every column"):
        from_columns([["x"] * length for length in lengths])
