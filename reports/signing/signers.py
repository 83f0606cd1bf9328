"""Who signs: a key file, a token, or whatever another package offers by an entry point of ``plantproof.signers``.

``SCHEME:REST`` names a signer of an entry point (or ``pkcs11:``, which is shipped); anything else is a file. The
factory that an entry point names is called with the whole URI and a
:class:`~reports.signing.passphrase.Passphrase`, and returns an object with ``public``, its PEM text (a public key, or a
chain of certificates, the signer's own first), and ``sign``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol

from profiles.extensions import Extension
from profiles.extensions import extensions
from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.signing.algorithms import KeyUnusable
from reports.signing.algorithms import is_signature
from reports.signing.algorithms import tidy
from reports.signing.passphrase import Passphrase
from reports.signing.public import PublicPart

#: Entry points of this group name factories of signers, each under the scheme of its URIs.
GROUP = "plantproof.signers"
_SHIPPED = {"pkcs11": "reports.signing.pkcs11:open_signer"}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):")


class Backend(Protocol):
    """What a factory returns."""

    @property
    def public(self) -> bytes:
        """PEM: a public key, or certificates."""

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``: Ed25519 raw (64 bytes), ECDSA and SM2 in DER, over the message's own hash."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who can sign, seen to be able to."""

    name: str  #: as it was given
    public: PublicPart
    backend: Backend

    def sign(self, message: bytes) -> bytes:
        """The signature, checked against the public part before anybody else sees it.

        Raises:
            UserMistake: if the signer fails, or what it returns is no signature of its own key.
        """
        try:
            made = tidy(self.public.spki, bytes(self.backend.sign(message)))
        except UserMistake:
            raise
        except Exception as error:  # a token, a driver or a foreign package may do anything
            raise _mistake("signer-failed", self.name, error=f"{type(error).__name__}: {error}") from error
        if not is_signature(self.public.spki, message, made):
            raise _mistake("signer-failed", self.name, error=f"no {self.public.algorithm} signature")
        return made


def open_signer(name: str, passphrase: Passphrase) -> Signer:
    """The signer ``name``, tried once, so that what is wrong with it shows now and not after a campaign.

    Raises:
        UserMistake: if there is none, it cannot be opened, or it cannot sign.
    """
    backend = _backend(name, passphrase)
    try:
        public = PublicPart.parse(backend.public)
        public.algorithm  # noqa: B018 - known, or a mistake
    except KeyUnusable as error:
        raise _mistake("key-unusable", name, error=error) from None
    signer = Signer(name, public, backend)
    signer.sign(b"plantproof: can this key sign?")
    return signer


def open_signers(names: list[str], passphrase: Passphrase) -> list[Signer]:
    """All of ``names``, each of another key.

    Raises:
        UserMistake: if one cannot be opened, or two are the same key.
    """
    signers = [open_signer(name, passphrase) for name in names]
    known: dict[bytes, str] = {}
    for signer in signers:
        if (other := known.setdefault(signer.public.spki, signer.name)) != signer.name:
            raise _mistake("signer-twice", signer.name, other=other)
    return list({signer.public.spki: signer for signer in signers}.values())


def _backend(name: str, passphrase: Passphrase) -> Backend:
    scheme = _SCHEME.match(name)
    if scheme is None:
        from reports.signing.keyfile import KeyFile

        return KeyFile.open(name, passphrase)
    if scheme[1] in _SHIPPED:
        module, _, factory = _SHIPPED[scheme[1]].partition(":")
        make: Callable[[str, Passphrase], Backend] = getattr(import_module(module), factory)
        return make(name, passphrase)
    extension = {one.name: one for one in extensions(GROUP)}.get(scheme[1])
    if extension is None:
        known = ", ".join(sorted([*_SHIPPED, *(one.name for one in extensions(GROUP))]))
        raise _mistake("signer-unknown", name, scheme=scheme[1], known=known)
    return _foreign(extension, name, passphrase)


def _foreign(extension: Extension, name: str, passphrase: Passphrase) -> Backend:
    """What another package's factory makes; whatever it raises names that package."""
    with extension.used():
        (entry,) = entry_points(group=GROUP, name=extension.name)
        made: Backend = entry.load()(name, passphrase)
        made.public  # noqa: B018 - asked here, so that a failure names the package
        return made


def _mistake(code: str, name: str, **facts: object) -> UserMistake:
    return UserMistake([Problem(code, "reports", file=name, facts=facts)])
