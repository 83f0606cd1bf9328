"""One number for the evidence in a bundle, which its renderings can quote.

The manifest hashes the renderings too, so a report cannot quote the manifest's hash: it would be part of what it
hashes. The fingerprint covers the evidence only, so that a report made when sealing and one made years later agree.
"""

from __future__ import annotations

import hashlib

from reports.bundle import ATTEMPTS
from reports.bundle import CHAIN
from reports.bundle import EVENTS
from reports.bundle import OBSERVATIONS
from reports.bundle import PARTICULARS
from reports.bundle import PLANT
from reports.bundle import PROFILES
from reports.bundle import RAW
from reports.bundle import RESULTS
from reports.bundle import WAIVERS
from reports.bundle import Manifest

_FILES = frozenset({ATTEMPTS, CHAIN, EVENTS, OBSERVATIONS, PARTICULARS, PLANT, RESULTS, WAIVERS})
_FOLDERS = (PROFILES, RAW)

#: Computes the same number with common tools, in the bundle's folder.
COMMAND = (
    f"find {' '.join(sorted({*_FILES, *_FOLDERS}))} -type f -print0 2>/dev/null "
    "| LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
)


def fingerprint(manifest: Manifest) -> str:
    """SHA-256, in hexadecimal, of the lines ``HASH  PATH`` of all evidence files, in the order of their paths."""
    evidence = sorted(path.encode() for path in manifest.files if is_evidence(path))
    listed = b"".join(f"{manifest.files[path.decode()].sha256}  ".encode() + path + b"\n" for path in evidence)
    return hashlib.sha256(listed).hexdigest()


def is_evidence(path: str) -> bool:
    """Whether the file ``path`` of a bundle is evidence, not a rendering of it."""
    return path in _FILES or (path.partition("/")[0] in _FOLDERS and "/" in path)
