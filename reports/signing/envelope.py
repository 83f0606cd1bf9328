"""The envelope: DSSE 1.0.2 in canonical form, which is the only one that is read.

Signed is not the JSON but the *pre-authentication encoding* of the payload and its type, so that no two messages share
one encoding. What was verified is used as it was verified: the payload's bytes are taken out once and never again.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from reports.bundle import canonical_json
from reports.signing.rules import rules

_KEYID = re.compile(r"[0-9a-f]{64}")


class EnvelopeMalformed(Exception):
    """It is no envelope of this program's: ``code`` names the finding, the text says why."""

    def __init__(self, code: str, error: str = "") -> None:
        self.code = code
        super().__init__(error)


@dataclass(frozen=True, slots=True, order=True)
class Signature:
    """One signature; ``keyid`` only helps to find the key and decides nothing."""

    keyid: str  #: SHA-256 of what ``manifest.KEYID.pem`` holds, hexadecimal
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A statement and the signatures over it, ordered by key id."""

    payload: bytes
    signatures: tuple[Signature, ...] = ()

    @property
    def message(self) -> bytes:
        """What is signed."""
        return pae(rules().payload_type, self.payload)

    def signed(self, *more: Signature) -> Envelope:
        """The same with further signatures."""
        return Envelope(self.payload, tuple(sorted((*self.signatures, *more))))

    def to_bytes(self) -> bytes:
        """The envelope in canonical form."""
        signatures = [{"keyid": one.keyid, "sig": _text(one.sig)} for one in self.signatures]
        return canonical_json(
            {"payload": _text(self.payload), "payloadType": rules().payload_type, "signatures": signatures}
        )

    @classmethod
    def parse(cls, data: bytes) -> Envelope:
        """Read an envelope; any other spelling of the same is refused, so that no byte can be changed unseen.

        Raises:
            EnvelopeMalformed: if it is none, is of another type, or is not in canonical form.
        """
        found = _fields(data)
        if found["payloadType"] != rules().payload_type:
            raise EnvelopeMalformed("envelope-type", repr(found["payloadType"]))
        signatures = tuple(_signature(one) for one in found["signatures"])
        if not 0 < len(signatures) <= rules().signatures:
            raise EnvelopeMalformed("envelope-malformed", f"{len(signatures)} signatures")
        envelope = cls(_bytes(found["payload"]), signatures)
        ids = [one.keyid for one in signatures]
        if ids != sorted(set(ids)) or envelope.to_bytes() != data:
            raise EnvelopeMalformed("envelope-not-canonical")
        return envelope


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding of DSSE 1.0.2: lengths are decimal numbers of bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _fields(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EnvelopeMalformed("envelope-malformed", str(error)) from None
    if not isinstance(found, dict) or found.keys() != {"payload", "payloadType", "signatures"}:
        raise EnvelopeMalformed("envelope-malformed", "payload, payloadType, signatures")
    if not isinstance(found["signatures"], list):
        raise EnvelopeMalformed("envelope-malformed", "signatures")
    return found


def _signature(found: object) -> Signature:
    if not isinstance(found, dict) or found.keys() != {"keyid", "sig"}:
        raise EnvelopeMalformed("envelope-malformed", "keyid, sig")
    keyid = found["keyid"]
    if not isinstance(keyid, str) or not _KEYID.fullmatch(keyid):
        raise EnvelopeMalformed("envelope-malformed", "keyid")
    return Signature(keyid, _bytes(found["sig"]))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise EnvelopeMalformed("envelope-malformed", "base64")
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise EnvelopeMalformed("envelope-malformed", f"base64: {error}") from None
