"""Bundles of older versions, read as the newest: one pure function from each version of a record to the next.

A bundle is never rewritten. What a migration adds is what a reader may say of a bundle that knows nothing of it, so a
bundle of version 1 has no hash chain, and says so, instead of having an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from reports.plain import Malformed

#: A record as it stands in a JSON file.
Json = dict[str, Any]

#: Newest version of a bundle that this program reads and the one that it writes.
NEWEST = 2
_FORMAT = re.compile(r"plantproof-bundle/([1-9][0-9]{0,8})")


class Newer(Malformed):
    """The bundle was sealed by a later version of this program."""

    def __init__(self, name: str, found: int) -> None:
        self.found = found
        super().__init__(name, f"plantproof-bundle/{found} > plantproof-bundle/{NEWEST}")


def version_of(name: str, manifest: object) -> int:
    """The version of the bundle whose manifest this is.

    Args:
        name: of the manifest's file.
        manifest: its content.

    Raises:
        Newer: if this program does not know that version yet.
        Malformed: if it is no manifest of a bundle.
    """
    said = manifest.get("format") if isinstance(manifest, dict) else None
    found = _FORMAT.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        raise Malformed(name, "format: plantproof-bundle/N expected")
    if int(found[1]) > NEWEST:
        raise Newer(name, int(found[1]))
    return int(found[1])


def newest_manifest(name: str, manifest: Json) -> Json:
    """The manifest of a bundle of any version as the newest has it.

    Args:
        name: of the manifest's file.
        manifest: its content.

    Raises:
        Malformed: as :func:`version_of`, or if the manifest says what only a later version can.
    """
    for step in range(version_of(name, manifest), NEWEST):
        added = _MANIFESTS[step](manifest)
        if strangers := manifest.keys() & added.keys():
            raise Malformed(name, f"unknown in version {step}: {', '.join(sorted(strangers))}")
        manifest = manifest | added | {"format": f"plantproof-bundle/{step + 1}"}
    return manifest


def _manifest_1_to_2(_manifest: Json) -> Json:
    """Version 1 had no chain, and no checksum of the manifest itself."""
    return {"chain": None, "checksum": None}


#: What the next version's manifest has in addition to one of this version.
_MANIFESTS: dict[int, Callable[[Json], Json]] = {1: _manifest_1_to_2}
