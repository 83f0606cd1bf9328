"""What is signed: an in-toto Statement v1 with the test-result predicate v0.1, as RFC 8785 writes it.

Everything in it follows from the manifest and the results, so that it can be made again and compared, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from reports.bundle import MANIFEST
from reports.bundle import FileRecord
from reports.bundle import canonical_json
from reports.result import Campaign
from reports.signing.rules import rules
from reports.standing import Standing


def statement(manifest: bytes, files: Mapping[str, FileRecord], campaign: Campaign) -> bytes:
    """The statement about one bundle, in canonical form.

    Args:
        manifest: ``manifest.json`` as it stands in the bundle.
        files: what it says of the bundle's files, by path.
        campaign: ``results.json``.
    """
    rule = rules()
    own = {"name": MANIFEST, "digest": {"sha256": hashlib.sha256(manifest).hexdigest()}}
    return canonical_json(
        {
            "_type": rule.statement_type,
            "subject": [own, *_described(files, rule.subject)],
            "predicateType": rule.predicate_type,
            "predicate": _predicate(files, campaign),
        }
    )


def _predicate(files: Mapping[str, FileRecord], campaign: Campaign) -> dict[str, Any]:
    rule = rules()
    tests: dict[str, list[str]] = {name: [] for name in rule.tests.values()}
    for result in campaign.results:
        if not result.scope and (name := rule.tests.get(result.verdict.value)):  # a breakdown is no item of its own
            tests[name].append(result.item)
    amounts = Standing.of(campaign.results).outcome
    return {"result": rule.result[amounts.value], "configuration": _described(files, rule.configuration), **tests}


def _described(files: Mapping[str, FileRecord], wanted: tuple[str, ...]) -> list[dict[str, Any]]:
    """Resource descriptors of the ``wanted`` files and of those in the ``wanted`` folders."""
    return [
        {"name": name, "digest": {"sha256": files[name].sha256}}
        for place in wanted
        for name in sorted(files)
        if name == place or (place.endswith("/") and name.startswith(place))
    ]
