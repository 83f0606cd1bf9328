"""Facts of the machine that seals: the state of its clock in the words of the evidence."""

from __future__ import annotations

from typing import Any

import pytest

from reports import host


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"synchronised": None}, {"synchronised": "unknown"}),
        (
            {"synchronised": True, "offset_ns": -1500, "max_error_us": 16, "estimated_error_us": 2},
            {"synchronised": "yes", "offset_ns": "-1500", "maximum_error_us": "16", "estimated_error_us": "2"},
        ),
        (
            {"synchronised": False, "offset_ns": 0, "max_error_us": 16_000_000, "estimated_error_us": 7},
            {"synchronised": "no", "offset_ns": "0", "maximum_error_us": "16000000", "estimated_error_us": "7"},
        ),
    ],
)
def test_clock_is_told_as_the_kernel_knows_it(
    state: dict[str, Any], said: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "clock_state", lambda: state)
    found = host.clock()
    assert found.pop("clocksource")
    assert found == said


def test_clock_of_this_machine_is_told() -> None:
    assert host.clock()["synchronised"] in ("yes", "no", "unknown")
