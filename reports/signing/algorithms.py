"""Which signatures are known, and whether one is right. Each has one right encoding, no byte more or less."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from cryptography.hazmat.primitives.serialization import load_der_public_key

from reports.signing import sm2

ED25519 = "ed25519"
#: Curves of ECDSA: its name here, the hash, and the order of the group.
_CURVES: dict[str, tuple[str, hashes.HashAlgorithm, int]] = {
    "secp256r1": (
        "ecdsa-p256-sha256",
        hashes.SHA256(),
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    ),
    "secp384r1": (
        "ecdsa-p384-sha384",
        hashes.SHA384(),
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    ),
}


class KeyUnusable(Exception):
    """A public key is malformed, or of a kind that is not known here."""


def canonical_spki(der: bytes) -> bytes:
    """A SubjectPublicKeyInfo as it must be written.

    Raises:
        KeyUnusable: if it is none of a known kind.
    """
    if sm2.is_sm2(der):
        return der
    return _loaded(der).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def algorithm(spki: bytes) -> str:
    """The name of the one algorithm that a key signs by here.

    Raises:
        KeyUnusable: if there is none.
    """
    if sm2.is_sm2(spki):
        return sm2.NAME
    key = _loaded(spki)
    return ED25519 if isinstance(key, Ed25519PublicKey) else _CURVES[key.curve.name][0]


def is_signature(spki: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is the key's signature of ``message``, rightly encoded.

    Raises:
        KeyUnusable: if the key is of no known kind.
        UserMistake: if it is an SM2 key and what checks it is not installed.
    """
    if sm2.is_sm2(spki):
        return sm2.verify(spki, message, signature)
    key = _loaded(spki)
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, message)
        else:
            if tidy(spki, signature) != signature:
                return False
            key.verify(signature, message, ec.ECDSA(_CURVES[key.curve.name][1]))
    except (InvalidSignature, ValueError):
        return False
    return True


def tidy(spki: bytes, signature: bytes) -> bytes:
    """A signature in its one right encoding: of ECDSA, the smaller of the two right values of ``s``, in DER.

    Raises:
        KeyUnusable: if the key is of no known kind.
        ValueError: if it is no signature.
    """
    if sm2.is_sm2(spki):
        return signature
    key = _loaded(spki)
    if isinstance(key, Ed25519PublicKey):
        return signature
    order = _CURVES[key.curve.name][2]
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, order - s))


def _loaded(spki: bytes) -> Ed25519PublicKey | ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(str(error)) from None
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return key
    raise KeyUnusable(type(key).__name__)
