"""Whom a verifier trusts: keys that must have signed, authorities of signers, and authorities of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.signing.algorithms import KeyUnusable
from reports.signing.public import PublicPart
from reports.signing.public import certificate
from reports.signing.public import pem_blocks

_LARGEST = 16 << 20  #: bytes; the authorities of a whole operating system are a quarter megabyte


@dataclass(frozen=True, slots=True)
class Expected:
    """What was given to hold the signatures against; nothing of it comes from the bundle."""

    keys: tuple[PublicPart, ...] = ()  #: every one of these must have signed
    trust: tuple[x509.Certificate, ...] = ()  #: authorities of signers
    tsa: tuple[x509.Certificate, ...] = ()  #: authorities of time-stamps

    @classmethod
    def read(cls, keys: Iterable[Path] = (), trust: Iterable[Path] = (), tsa: Iterable[Path] = ()) -> Expected:
        """Read PEM files.

        Raises:
            UserMistake: naming each that cannot be read, or holds something else; a private key is refused.
        """
        return cls(
            tuple(_public(path) for path in keys),
            tuple(one for path in trust for one in _certificates(path)),
            tuple(one for path in tsa for one in _certificates(path)),
        )


def _public(path: Path) -> PublicPart:
    text = _read(path)
    try:
        return PublicPart.parse(text)
    except KeyUnusable as error:
        raise _mistake("public-unusable", path, error=error) from None


def _certificates(path: Path) -> list[x509.Certificate]:
    text = _read(path)
    try:
        found = [certificate(der) for label, der in pem_blocks(text) if label == "CERTIFICATE"]
    except KeyUnusable as error:
        raise _mistake("trust-unusable", path, error=error) from None
    if not found:
        raise _mistake("trust-unusable", path, error="CERTIFICATE -")
    return found


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST)
    except OSError as error:
        raise _mistake("key-cannot-read", path, error=error.strerror or error) from None
    if b"PRIVATE KEY-----" in text:
        raise _mistake("public-is-private", path)
    return text


def _mistake(code: str, path: Path, **facts: object) -> UserMistake:
    return UserMistake([Problem(code, "reports", file=str(path), facts=facts)])
