"""Byte budgets hold for the whole campaign, over all its sessions."""

from __future__ import annotations

from pathlib import Path

from conformance.spending import remaining
from probes.action import Action
from probes.action import Target
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation
from reports.store import EvidenceStore

TARGET = Target("plc", "192.0.2.1", "cell")
ECHO = Action("desk", "icmp-echo", (TARGET,), {"attempts": 3, "timeout_ms": 1000, "payload_bytes": 32})


def _permits(total_bytes: int | None) -> dict[str, Permit]:
    return {
        "desk": Permit(
            "desk", {TARGET.address: "cell"}, {"cell": ZonePermit("cell", "query", total_bytes=total_bytes)}, {}
        )
    }


def _row(error: str | None, attempt: int = 0, quantity: str = "round-trip-delay") -> Observation:
    value = None if error else 1.0
    return Observation("icmp-echo", "desk", "plc", TARGET.address, quantity, value, "ms", error, 0, attempt, 1, 1, "")


def _left(folder: Path, total_bytes: int | None, *errors: str | None) -> int | None:
    with EvidenceStore.create(folder, campaign="c", plant_yaml="p", profile_yamls={}, facts={}) as store:
        store.append([_row(error, attempt) for attempt, error in enumerate(errors)])
        store.append([_row(error, attempt, "something-else") for attempt, error in enumerate(errors)])
        return remaining(_permits(total_bytes), store, [ECHO])["desk"].zones["cell"].total_bytes


def test_what_may_have_left_is_off_the_budget(tmp_path: Path) -> None:
    one = method("icmp-echo").cost(
        Action("desk", "icmp-echo", (TARGET,), {**ECHO.parameters, "attempts": 1}), _permits(None)["desk"]
    )
    assert _left(tmp_path / "a", 1000, None, "timeout", "vantage-lost") == 1000 - 3 * one.bytes


def test_what_never_left_is_not(tmp_path: Path) -> None:
    assert _left(tmp_path / "a", 1000, "stopped", "refused-by-guard", "no-route") == 1000


def test_a_budget_is_never_less_than_nothing_and_none_stays_none(tmp_path: Path) -> None:
    assert _left(tmp_path / "a", 10, None) == 0
    assert _left(tmp_path / "b", None, None) is None
