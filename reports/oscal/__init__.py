"""A campaign as OSCAL 1.2.2: a folder with a catalog, an assessment plan and results that refer to each other.

Every identifier follows from the campaign (UUID version 5), so that the same bundle gives the same documents. What the
plan and the results rest on, the plant, the profiles and the observations, is referred to in the bundle, by hash.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from urllib.parse import quote

from reports.bundle import Bundle
from reports.oscal.catalog import catalog
from reports.oscal.context import Context
from reports.oscal.context import Json
from reports.oscal.plan import assessment_plan
from reports.oscal.results import assessment_results

CATALOG = "catalog.json"
PLAN = "assessment-plan.json"
RESULTS = "assessment-results.json"


def write_report(bundle: Bundle, out: Path, language: str = "zh") -> None:
    """Write the three documents into the folder ``out``; those that are there already are replaced.

    The references to the bundle are relative: keep the folder where it is beside the bundle, or move both.

    Raises:
        OSError: if they cannot be written.
        UserMistake: if a file of the bundle is missing or malformed.
    """
    to_bundle = quote(os.fsencode(os.path.relpath(bundle.path.resolve(), out.resolve())))
    context = Context.of(bundle, to_bundle, language)
    out.mkdir(exist_ok=True)
    hashes = {CATALOG: _write(out / CATALOG, catalog(context))}
    hashes[PLAN] = _write(out / PLAN, assessment_plan(context, hashes))
    _write(out / RESULTS, assessment_results(context, hashes))


def _write(path: Path, document: Json) -> str:
    """Write one document; returns its SHA-256."""
    content = json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
