"""What several tests of this room need: a short way to ask for something, and the recordings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profiles.language import choose_language
from profiles.requirement import Requirement

_SOURCE = {"standard": "none", "clause": "none", "provenance": "project", "verified": False}


@pytest.fixture(scope="session")
def ask() -> Callable[..., Requirement]:
    """``ask(">= 90 %", "R0")``: a requirement with that limit and rule; ``None`` for no limit."""

    def build(limit: str | None, rule: str = "R0", **more: Any) -> Requirement:
        op, _, value = (limit or "").partition(" ")
        threshold = None if limit is None else {"op": op, "value": value, "source": _SOURCE}
        text = {"zh": "项", "en": "item"}
        more.setdefault("indicator", "access-reachability")
        return Requirement.model_validate(
            {"id": "T-1", "title": text, "pillar": "network", "source": _SOURCE, "remedy": text}
            | {"threshold": threshold, "rule": rule}
            | more
        )

    return build


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of third-party recordings; the test is skipped, saying so, where it is absent."""
    folder = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[3] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set PLANTPROOF_CORPUS")
    return folder


@pytest.fixture
def english() -> Any:
    """Texts in English while the test runs."""
    choose_language("en")
    yield
    choose_language(None)
