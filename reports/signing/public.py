"""The public part of a signer: a public key, or a certificate with those that lead from it to an authority."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import textwrap
import warnings
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat

from reports.signing import sm2
from reports.signing.algorithms import KeyUnusable
from reports.signing.algorithms import algorithm
from reports.signing.algorithms import canonical_spki
from reports.signing.rules import rules

_KEY = "PUBLIC KEY"
_CERTIFICATE = "CERTIFICATE"
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n \t]*)-----END \1-----")


@dataclass(frozen=True)
class PublicPart:
    """What is shown of a signer; either the key alone, or a chain of certificates, the signer's own first."""

    spki: bytes  #: SubjectPublicKeyInfo, DER
    certificates: tuple[x509.Certificate, ...] = ()

    @classmethod
    def parse(cls, text: bytes) -> PublicPart:
        """Read PEM; what stands around its blocks is passed over.

        Raises:
            KeyUnusable: if it holds neither one public key nor certificates, or a key of no known kind.
        """
        blocks = pem_blocks(text)
        labels = {label for label, _ in blocks}
        if labels == {_CERTIFICATE} and len(blocks) <= rules().certificates:
            chain = tuple(certificate(der) for _, der in blocks)
            return cls(certified_key(chain[0]), chain)
        if labels == {_KEY} and len(blocks) == 1:
            return cls(canonical_spki(blocks[0][1]))
        raise KeyUnusable(", ".join(sorted(labels)) or "no PEM")

    @cached_property
    def keyid(self) -> str:
        """SHA-256 of what :attr:`pem` encodes: of the SubjectPublicKeyInfo, or of all certificates one after another.

        So that the id covers every byte of a chain, of which not every byte is signed by something that is at hand.
        """
        return hashlib.sha256(b"".join(self._ders)).hexdigest()

    @property
    def pem(self) -> bytes:
        """The PEM text, in the one way it is written: RFC 7468 strict, without anything around it."""
        label = _CERTIFICATE if self.certificates else _KEY
        return b"".join(pem(label, der) for der in self._ders)

    @property
    def algorithm(self) -> str:
        """The algorithm of the key's signatures."""
        return algorithm(self.spki)

    @property
    def _ders(self) -> list[bytes]:
        return [one.public_bytes(Encoding.DER) for one in self.certificates] or [self.spki]


def pem(label: str, der: bytes) -> bytes:
    """One block of PEM, as RFC 7468 has it."""
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def pem_blocks(text: bytes) -> list[tuple[str, bytes]]:
    """Label and content of every block of PEM in ``text``.

    Raises:
        KeyUnusable: if one is no base64.
    """
    try:
        return [
            (match[1].decode(), base64.b64decode(b"".join(match[2].split()), validate=True))
            for match in _BLOCK.finditer(text)
        ]
    except binascii.Error as error:
        raise KeyUnusable(str(error)) from None


def certificate(der: bytes) -> x509.Certificate:
    """A certificate.

    Raises:
        KeyUnusable: if it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd and not wrong
            found = x509.load_der_x509_certificate(der)
            # The library reads these when asked: what is malformed shows here, and not anywhere.
            _ = (found.extensions, found.subject, found.issuer, found.not_valid_before_utc, found.not_valid_after_utc)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise KeyUnusable(str(error)) from None
    return found


def certified_key(one: x509.Certificate) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, as it must be written.

    Raises:
        KeyUnusable: if it is of no known kind.
        UserMistake: if it may be an SM2 key and what reads it is not installed.
    """
    try:
        spki = one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except UnsupportedAlgorithm:
        try:
            return sm2.certificate_key(one.tbs_certificate_bytes)
        except sm2.Sm2Error as error:
            raise KeyUnusable(str(error)) from None
    except ValueError as error:
        raise KeyUnusable(str(error)) from None
    return canonical_spki(spki)
