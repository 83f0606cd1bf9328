"""What an index of a fleet is made of, for those who read one without making it."""

from __future__ import annotations

import json
from pathlib import Path

from profiles.problem import Problem
from profiles.problem import UserMistake

FORMAT = "plantproof-fleet-index/1"
NAME = "fleet-index"  #: of the index, beside the bundles, if none is given
ABOUT, BUNDLES, RESULTS, FAILING = "index.json", "bundles.parquet", "results.parquet", "failing.parquet"

#: States of a bundle.
VERIFIED, HASHED, ALTERED, UNREADABLE = "verified", "hashed", "altered", "unreadable"


def require_index(folder: Path) -> None:
    """Do nothing if ``folder`` holds an index that this version reads.

    Raises:
        UserMistake: otherwise.
    """
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        found = str(about.get("format"))
    except (OSError, ValueError, AttributeError):
        raise UserMistake([Problem("fleet-no-index", "reports.fleet", file=str(folder))]) from None
    if found != FORMAT:
        facts = {"found": found[:60], "expected": FORMAT}
        raise UserMistake([Problem("fleet-index-version", "reports.fleet", file=str(folder), facts=facts)])
