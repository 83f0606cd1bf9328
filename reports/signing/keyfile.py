"""Private keys in files: PKCS#8 in PEM, encrypted or not; below the key there may be the signer's certificates.

A key never leaves this module but as a signature.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import KeySerializationEncryption
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat
from cryptography.hazmat.primitives.serialization import load_der_private_key

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.signing import sm2
from reports.signing.algorithms import KeyUnusable
from reports.signing.passphrase import Passphrase
from reports.signing.public import PublicPart
from reports.signing.public import pem
from reports.signing.public import pem_blocks
from reports.signing.rules import rules

CLEAR = "PRIVATE KEY"
ENCRYPTED = "ENCRYPTED PRIVATE KEY"
#: What can be made, by name.
KINDS = ("ed25519", "ecdsa-p256", "sm2")


class _Key(Protocol):
    """A private key of some kind."""

    @property
    def spki(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...

    def to_pkcs8(self, passphrase: str | None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _LibraryKey:
    """A key that ``cryptography`` knows."""

    key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.key, Ed25519PrivateKey):
            return self.key.sign(message)
        digest = hashes.SHA384() if self.key.curve.name == "secp384r1" else hashes.SHA256()
        return self.key.sign(message, ec.ECDSA(digest))

    def to_pkcs8(self, passphrase: str | None) -> bytes:
        how: KeySerializationEncryption = NoEncryption()
        if passphrase is not None:
            how = BestAvailableEncryption(passphrase.encode())
        return self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, how)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A signer whose key lies in a file."""

    path: Path
    public: bytes  #: PEM
    _key: _Key

    @classmethod
    def open(cls, name: str, passphrase: Passphrase) -> KeyFile:
        """Read a key, and the certificates below it, if there are any.

        Raises:
            UserMistake: if the file cannot be read, can be read by everybody, holds no one private key of a known
                kind, or certificates of another, or if the passphrase is wrong.
        """
        path = Path(name)
        blocks = _read(path)
        keys = [(label, der) for label, der in blocks if label.endswith(CLEAR)]
        if len(keys) != 1 or keys[0][0] not in (CLEAR, ENCRYPTED):
            _refuse("key-none", path, found=", ".join(label for label, _ in blocks) or "-")
        label, der = keys[0]
        key = _loaded(path, der, passphrase.of(name) if label == ENCRYPTED else None)
        chain = b"".join(pem(label, der) for label, der in blocks if label == "CERTIFICATE")
        try:
            if chain and PublicPart.parse(chain).spki != key.spki:
                _refuse("key-other-certificate", path)
        except KeyUnusable as error:
            _refuse("key-unusable", path, error=error)
        return cls(path, chain or PublicPart(key.spki).pem, key)

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``."""
        return self._key.sign(message)


def make_key(path: Path, kind: str, passphrase: str | None) -> tuple[PublicPart, Path]:
    """Make a key of a kind of :data:`KINDS` in the new file ``path``, which only its owner can read.

    Returns:
        The public key, and the new file beside it in which it is.

    Raises:
        UserMistake: if there is such a file, it cannot be written, or what makes SM2 keys is not installed.
    """
    key = _generated(kind)
    public = path.with_name(f"{path.name}.pub")
    if os.path.lexists(public):
        _refuse("key-exists", public)
    _write_new(path, pem(CLEAR if passphrase is None else ENCRYPTED, key.to_pkcs8(passphrase)), 0o600)
    part = PublicPart(key.spki)
    _write_new(public, part.pem, 0o644)
    return part, public


def _write_new(path: Path, text: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        _refuse("key-exists", path)
    except OSError as error:
        _refuse("key-cannot-write", path, error=error.strerror or error)


def _generated(kind: str) -> _Key:
    if kind == "sm2":
        return sm2.Sm2Key.generate()
    if kind == "ecdsa-p256":
        return _LibraryKey(ec.generate_private_key(ec.SECP256R1()))
    return _LibraryKey(Ed25519PrivateKey.generate())


def _read(path: Path) -> list[tuple[str, bytes]]:
    """The blocks of a PEM file that not everybody can read."""
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            text = file.read(rules().public_bytes)
    except OSError as error:
        _refuse("key-cannot-read", path, error=error.strerror or error)
    if stat.S_IMODE(state.st_mode) & stat.S_IRWXO:
        _refuse("key-open-to-all", path, mode=f"{stat.S_IMODE(state.st_mode):o}")
    try:
        return pem_blocks(text)
    except KeyUnusable as error:
        _refuse("key-unusable", path, error=error)


def _loaded(path: Path, der: bytes, passphrase: str | None) -> _Key:
    try:
        key = load_der_private_key(der, None if passphrase is None else passphrase.encode())
    except UnsupportedAlgorithm:  # such as the curve of SM2
        try:
            return sm2.Sm2Key.parse(der, passphrase)
        except sm2.Sm2Error as error:
            _refuse("key-unusable", path, error=error)
    except (ValueError, TypeError) as error:
        _refuse("key-unusable" if passphrase is None else "key-wrong-passphrase", path, error=error)
    if isinstance(key, Ed25519PrivateKey):
        return _LibraryKey(key)
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in ("secp256r1", "secp384r1"):
        return _LibraryKey(key)
    return _refuse("key-unusable", path, error=type(key).__name__)


def _refuse(code: str, path: Path, **facts: object) -> NoReturn:
    raise UserMistake([Problem(code, "reports", file=str(path), facts=facts)])
