"""Time-stamps (RFC 3161): a third party's word that a signature was there at a moment.

What is stamped is the signature itself, in its raw bytes. What an authority answers is kept as it came, so that anybody
can check it with ``openssl ts``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any

from cryptography import x509

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest
    from rfc3161_client import TimeStampResponse

_HASHES = {
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
}


class StampMalformed(Exception):
    """An answer is no time-stamp, or none of what was asked."""


class StampUntrusted(Exception):
    """Nobody trusted stands behind a time-stamp."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an authority's answer says."""

    time: datetime  #: with its zone
    answer: Any  #: as the library has it

    @classmethod
    def parse(cls, data: bytes) -> Stamp:
        """Read an answer (DER).

        Raises:
            StampMalformed: if it is none, or the authority refused.
        """
        import rfc3161_client

        try:
            answer: TimeStampResponse = rfc3161_client.decode_timestamp_response(data)
            if answer.status != rfc3161_client.PKIStatus.GRANTED:
                raise StampMalformed(f"PKIStatus {answer.status} {' '.join(answer.status_string)}".strip())
            time = answer.tst_info.gen_time
        except ValueError as error:
            raise StampMalformed(str(error)) from None
        return cls(time, answer)

    def is_of(self, signature: bytes) -> bool:
        """Whether it is this signature's."""
        imprint = self.answer.tst_info.message_imprint
        make = _HASHES.get(imprint.hash_algorithm.dotted_string)
        return make is not None and make(signature).digest() == bytes(imprint.message)

    def check(self, signature: bytes, roots: Sequence[x509.Certificate]) -> None:
        """See that an authority below one of ``roots`` signed it, by a certificate that was valid then.

        Raises:
            StampUntrusted: if not.
        """
        import rfc3161_client

        builder = rfc3161_client.VerifierBuilder()
        for root in dict.fromkeys(roots):
            builder = builder.add_root_certificate(root)
        try:
            builder.build().verify_message(self.answer, signature)
        except (rfc3161_client.VerificationError, ValueError, x509.DuplicateExtension) as error:
            raise StampUntrusted(str(error)) from None


def query(signature: bytes) -> TimeStampRequest:
    """The question to an authority, with a nonce, and asking for its certificate."""
    import rfc3161_client

    algorithm = rfc3161_client.HashAlgorithm.SHA256
    return rfc3161_client.TimestampRequestBuilder().data(signature).hash_algorithm(algorithm).build()


def accepted(data: bytes, signature: bytes, asked: TimeStampRequest | None = None) -> Stamp:
    """An authority's answer, seen to be about ``signature``, and to what was ``asked``.

    Raises:
        StampMalformed: if not.
    """
    stamp = Stamp.parse(data)
    if not stamp.is_of(signature):
        raise StampMalformed("messageImprint")
    if asked is not None and stamp.answer.tst_info.nonce != asked.nonce:
        raise StampMalformed("nonce")
    return stamp
