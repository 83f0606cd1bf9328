"""Whole campaigns for tests: run pytest on a plant in a process of its own, and read the bundle it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

#: No campaign of these tests takes longer than this; one that does hangs.
LIMIT_S = 300


@dataclass(frozen=True)
class Run:
    """One finished campaign process."""

    status: int
    output: str
    evidence: Path

    @property
    def bundle(self) -> Path:
        return self.evidence / "bundle"

    @cached_property
    def results(self) -> dict[str, dict[str, Any]]:
        """Results by item id."""
        assert self.bundle.is_dir(), self.output
        campaign = json.loads((self.bundle / "results.json").read_text("utf-8"))
        return {result["item"]: result for result in campaign["results"]}

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdicts of whole requirements; breakdowns left out."""
        return {item: result["verdict"] for item, result in self.results.items() if not result["scope"]}


def _command(plant: Path, evidence: Path | None, *options: str) -> list[str]:
    """The command line of a campaign."""
    start = [sys.executable, "-m", "pytest", "--pyargs", "conformance", "-p", "no:cacheprovider", "--plant", str(plant)]
    return [*start, *(["--evidence", str(evidence)] if evidence else []), *options]


def _start(plant: Path, evidence: Path | None, *options: str) -> subprocess.Popen[str]:
    """Start a campaign."""
    return subprocess.Popen(
        _command(plant, evidence, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PLANTPROOF_LANG": "en"},
    )


def _run(plant: Path, evidence: Path, *options: str) -> Run:
    """Run a campaign to its end."""
    process = _start(plant, evidence, *options)
    try:
        output, _ = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
    return Run(process.returncode, output, evidence)


@pytest.fixture
def run_campaign() -> Callable[..., Run]:
    """Runs a campaign to its end: ``run_campaign(plant, evidence, *options)``."""
    return _run


@pytest.fixture
def start_campaign() -> Callable[..., subprocess.Popen[str]]:
    """Starts a campaign: ``start_campaign(plant, evidence, *options)``."""
    return _start
