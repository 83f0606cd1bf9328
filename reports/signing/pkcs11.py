"""Signing by a token, card or HSM through PKCS#11, by the package python-pkcs11 of the extra ``plantproof[pkcs11]``.

The URI is that of RFC 7512, such as ``pkcs11:token=lab;object=tester?module-path=/usr/lib/softhsm/libsofthsm2.so``.
The PIN comes from ``pin-source=env:NAME`` or is asked for; one in the URI itself (``pin-value``) is refused.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import unquote
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from cryptography.hazmat.primitives.serialization import load_der_public_key

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.signing.passphrase import Passphrase
from reports.signing.public import pem

_MODULE = "PLANTPROOF_PKCS11_MODULE"  #: environment variable: the vendor's library, where the URI names none
_PATH = {"token": "token_label", "serial": "token_serial"}


class TokenSigner:
    """A private key that never leaves its token; the session stays open as long as this lives."""

    def __init__(self, key: Any, session: Any, public: bytes, spki: bytes) -> None:  # noqa: ANN401
        self._key = key
        self._session = session
        self.public = public
        self._kind = load_der_public_key(spki)

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``; of ECDSA, the token is given the hash."""
        package = _package("pkcs11")
        if isinstance(self._kind, Ed25519PublicKey):
            return bytes(self._key.sign(message, mechanism=package.Mechanism.EDDSA))
        digest = hashlib.sha384 if self._kind.key_size == 384 else hashlib.sha256  # type: ignore[union-attr]
        made = self._key.sign(digest(message).digest(), mechanism=package.Mechanism.ECDSA)
        return bytes(_package("pkcs11.util.ec").encode_ecdsa_signature(made))


def open_signer(uri: str, passphrase: Passphrase, environment: Mapping[str, str] = os.environ) -> TokenSigner:
    """The signer that a PKCS#11 URI names.

    Raises:
        UserMistake: if python-pkcs11 is not installed, the module cannot be loaded, or there is not exactly one such
            token and key.
    """
    path, query = _parsed(uri)
    library = query.get("module-path") or environment.get(_MODULE)
    if not library:
        raise _mistake("pkcs11-no-module", uri, variable=_MODULE)
    package = _package("pkcs11")
    try:
        session = _opened(package, library, path, uri, passphrase.of(_shown(uri), query.get("pin-source")))
        key, public, spki = _found(package, session, path, uri)
    except UserMistake:
        raise
    except Exception as error:  # a vendor's library may do anything
        raise _mistake("pkcs11-failed", uri, error=f"{type(error).__name__} {error}".strip()) from error
    return TokenSigner(key, session, public, spki)


def _opened(package: Any, library: str, path: Mapping[str, str], uri: str, pin: str) -> Any:  # noqa: ANN401
    """A session at the one token that ``path`` names."""
    wanted: dict[str, Any] = {_PATH[name]: unquote(value) for name, value in path.items() if name in _PATH}
    if "token_serial" in wanted:
        wanted["token_serial"] = wanted["token_serial"].encode()
    tokens = list(package.lib(library).get_tokens(**wanted))
    if len(tokens) != 1:
        raise _mistake("pkcs11-token", uri, count=len(tokens))
    try:
        return tokens[0].open(user_pin=pin)
    except _package("pkcs11.exceptions").UserAlreadyLoggedIn:  # by this process, for another key of the same token
        return tokens[0].open()


def _parsed(uri: str) -> tuple[dict[str, str], dict[str, str]]:
    """The attributes of the path and of the query, the latter decoded."""
    path_text, _, query_text = uri.partition(":")[2].partition("?")
    path = dict(part.split("=", 1) for part in path_text.split(";") if "=" in part)
    query = {name: unquote(value) for name, value in (it.split("=", 1) for it in query_text.split("&") if "=" in it)}
    if "pin-value" in query or "pin-value" in path:
        raise _mistake("pkcs11-pin-in-uri", "pkcs11:")
    if unknown := sorted(
        (path.keys() - {"token", "serial", "object", "id", "type"}) | (query.keys() - {"module-path", "pin-source"})
    ):
        raise _mistake("pkcs11-attribute", uri, names=", ".join(unknown))
    return path, query


def _found(package: Any, session: Any, path: Mapping[str, str], uri: str) -> tuple[Any, bytes, bytes]:  # noqa: ANN401
    """The private key, its public part as PEM, and its SubjectPublicKeyInfo."""
    wanted: dict[Any, Any] = {}
    if "object" in path:
        wanted[package.Attribute.LABEL] = unquote(path["object"])
    if "id" in path:
        wanted[package.Attribute.ID] = unquote_to_bytes(path["id"])
    kinds = package.ObjectClass
    keys = list(session.get_objects({package.Attribute.CLASS: kinds.PRIVATE_KEY, **wanted}))
    if len(keys) != 1:
        raise _mistake("pkcs11-key", uri, count=len(keys))
    same = {package.Attribute.ID: keys[0][package.Attribute.ID]}
    certificates = list(session.get_objects({package.Attribute.CLASS: kinds.CERTIFICATE, **same}))
    publics = list(session.get_objects({package.Attribute.CLASS: kinds.PUBLIC_KEY, **same}))
    if certificates:
        from reports.signing.public import PublicPart

        chain = pem("CERTIFICATE", bytes(certificates[0][package.Attribute.VALUE]))
        return keys[0], chain, PublicPart.parse(chain).spki
    if len(publics) != 1:
        raise _mistake("pkcs11-public", uri)
    spki = _spki(package, publics[0])
    return keys[0], pem("PUBLIC KEY", spki), spki


def _spki(package: Any, public: Any) -> bytes:  # noqa: ANN401
    point = bytes(public[package.Attribute.EC_POINT])
    if public.key_type == package.KeyType.EC_EDWARDS:
        raw = (
            point[2:] if len(point) == 34 else point
        )  # wrapped in an OCTET STRING, as PKCS#11 3.0 first had it, or not
        return Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return bytes(_package("pkcs11.util.ec").encode_ec_public_key(public))


def _shown(uri: str) -> str:
    return uri.partition("?")[0]


def _package(name: str) -> Any:  # noqa: ANN401  # without types of its own
    try:
        return import_module(name)
    except ImportError:
        raise UserMistake([Problem("pkcs11-absent", "reports")]) from None


def _mistake(code: str, uri: str, **facts: object) -> UserMistake:
    return UserMistake([Problem(code, "reports", file=_shown(uri), facts=facts)])
