"""A campaign that needs credentials: they are used, and are nowhere afterwards; without them nothing is sent."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.lab import Lab
from profiles.verdict import ExitStatus

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(f"secrets{os.getpid()}") as lab:
        yield lab


def _secrets(lab: Lab) -> list[bytes]:
    (value,) = lab.environment.values()
    held = json.loads(value)
    found = [held["community"], held["authentication"]["password"], held["privacy"]["password"]]
    return [secret.encode() for secret in found]


class Onlooker:
    """Looks at the command lines of all processes while it lives."""

    def __init__(self, secrets: list[bytes]) -> None:
        self.seen: set[bytes] = set()
        self.looks = 0
        self._secrets = secrets
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.looks += 1
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    try:
                        line = (process / "cmdline").read_bytes()
                    except OSError:
                        continue
                    self.seen |= {line for secret in self._secrets if secret in line}

    def __enter__(self) -> Onlooker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def test_no_secret_is_left_anywhere(
    lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lab.environment.items():
        monkeypatch.setenv(name, value)
    secrets = _secrets(lab)
    with Onlooker(secrets) as onlooker:
        campaign = run_campaign(lab.plant_file, tmp_path / "evidence", "--profile", "pon-optical")
    assert campaign.verdicts == {"PON-RX-MARGIN": "pass"}, campaign.output
    assert onlooker.looks > 10
    assert onlooker.seen == set()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".json" and "snmp" in str(path) for path in files), "the raw output was kept"
    for path in files:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path
    assert not any(secret.decode() in campaign.output for secret in secrets)


def test_without_the_variable_nothing_is_sent(lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any]) -> None:
    campaign = run_campaign(lab.plant_file, tmp_path / "evidence", "--profile", "pon-optical")
    assert campaign.status == ExitStatus.USAGE
    assert ".credentials: " in campaign.output
    assert "PLANTPROOF_LAB_SNMP" in campaign.output
    assert "Traceback" not in campaign.output
    assert not (tmp_path / "evidence").exists()
