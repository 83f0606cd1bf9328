"""Names of the files that stand beside the manifest and are not listed in it."""

from __future__ import annotations

import hashlib
import re

ENVELOPE = "manifest.dsse.json"
_SHOWN = 16  #: hexadecimal digits of a SHA-256 in a file's name
_ATTACHED = re.compile(r"manifest\.(?:dsse\.json|[0-9a-f]{16}\.pem|[0-9a-f]{16}\.[0-9a-f]{16}\.tsr)")


def is_attached(name: str) -> bool:
    """Whether a file of this name belongs to the signatures, which the manifest cannot list: they are made of it."""
    return _ATTACHED.fullmatch(name) is not None


def short(keyid: str) -> str:
    """What stands of a key's id in the names of files."""
    return keyid[:_SHOWN]


def public_name(keyid: str) -> str:
    """Name of the file with the public part of the signer ``keyid``."""
    return f"manifest.{short(keyid)}.pem"


def stamp_name(keyid: str, stamp: bytes) -> str:
    """Name of the file with a time-stamp: its own hash stands in it, as nothing else covers all of its bytes."""
    return f"manifest.{short(keyid)}.{hashlib.sha256(stamp).hexdigest()[:_SHOWN]}.tsr"


def query_name(keyid: str) -> str:
    """Name of the file with a question to a time-stamp authority."""
    return f"manifest.{short(keyid)}.tsq"


def stamped(name: str) -> str:
    """The :func:`short` key id in the name of a public part or a time-stamp."""
    return name.split(".")[1]
