"""SM2 with SM3 (GB/T 32918, GB/T 32905), by the packages gmalg and pycryptodome of the extra ``plantproof[sm2]``.

No arithmetic of SM2 is done here: this module only translates between PEM, DER and those packages. The signer's
distinguishing id is ``1234567812345678``, which GM/T 0009 gives for whoever agreed on no other.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from profiles.problem import Problem
from profiles.problem import UserMistake

NAME = "sm2-sm3"
DISTINGUISHING_ID = b"1234567812345678"
SIGNATURE_OID = "1.2.156.10197.1.501"  #: SM2 with SM3
_EC_OID = "1.2.840.10045.2.1"
_CURVE_OID = "1.2.156.10197.1.301"
_WIDTH = 32  #: bytes of a coordinate
#: SubjectPublicKeyInfo of an uncompressed point of this curve, up to the point.
_SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_PROTECTION = "scryptAndAES256-CBC"  # the library computes PBKDF2 in Python, and takes its time
_ITERATIONS = 16_384  # as much memory as openssl grants scrypt unasked


class Sm2Error(Exception):
    """A key or a signature is not what SM2 asks for."""


def is_sm2(spki: bytes) -> bool:
    """Whether a SubjectPublicKeyInfo is of an SM2 key, in the only form that is read."""
    return spki.startswith(_SPKI_HEAD) and len(spki) == len(_SPKI_HEAD) + 1 + 2 * _WIDTH


def verify(spki: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (DER) is one of ``message``, encoded in the only right way.

    Raises:
        UserMistake: if the packages are not installed.
    """
    gmalg, asn1 = _package("gmalg"), _package("Crypto.Util.asn1")
    point = spki[len(_SPKI_HEAD) :]
    try:
        r, s = asn1.DerSequence().decode(signature, strict=True, nr_elements=2, only_ints_expected=True)
        if asn1.DerSequence([r, s]).encode() != signature or min(r, s) < 1:
            return False
        checker = gmalg.SM2(uid=DISTINGUISHING_ID, pk=point)
        return bool(checker.verify_pk(point) and checker.verify(message, _bytes(r), _bytes(s)))
    except (ValueError, IndexError, OverflowError, gmalg.errors.GMError):
        return False


class Sm2Key:
    """A private key."""

    def __init__(self, secret: bytes) -> None:
        self._maker = _package("gmalg").SM2(sk=secret, uid=DISTINGUISHING_ID)
        self.spki = _SPKI_HEAD + self._maker.generate_pk(secret)
        self._secret = secret

    @classmethod
    def generate(cls) -> Sm2Key:
        """A new key, of the system's random numbers."""
        secret, _ = _package("gmalg").SM2().generate_keypair()
        return cls(secret.rjust(_WIDTH, b"\0"))

    @classmethod
    def parse(cls, pkcs8: bytes, passphrase: str | None) -> Sm2Key:
        """A key of PKCS#8, encrypted or not.

        Raises:
            Sm2Error: if it is no SM2 key, or the passphrase is wrong.
        """
        asn1 = _package("Crypto.Util.asn1")
        try:
            oid, inner, parameters = _package("Crypto.IO.PKCS8").unwrap(pkcs8, passphrase and passphrase.encode())
            curve = asn1.DerObjectId().decode(parameters or b"").value
            version, wrapped, *_ = asn1.DerSequence().decode(inner)
            secret = asn1.DerOctetString().decode(wrapped).payload
        except (ValueError, IndexError, TypeError) as error:
            raise Sm2Error(str(error)) from None
        if (oid, curve, version, len(secret)) != (_EC_OID, _CURVE_OID, 1, _WIDTH):
            raise Sm2Error("not an SM2 key")
        return cls(secret)

    def sign(self, message: bytes) -> bytes:
        """The signature, in DER."""
        r, s = (int.from_bytes(part, "big") for part in self._maker.sign(message))
        encoded: bytes = _package("Crypto.Util.asn1").DerSequence([r, s]).encode()
        return encoded

    def to_pkcs8(self, passphrase: str | None) -> bytes:
        """The key as PKCS#8 (DER), encrypted if there is a passphrase."""
        asn1, pkcs8 = _package("Crypto.Util.asn1"), _package("Crypto.IO.PKCS8")
        # The public point is optional in ECPrivateKey (RFC 5915), and every reader can compute it.
        inner = asn1.DerSequence([1, asn1.DerOctetString(self._secret)]).encode()
        how: dict[str, Any] = {"key_params": asn1.DerObjectId(_CURVE_OID)}
        if passphrase is not None:
            how |= {
                "passphrase": passphrase.encode(),
                "protection": _PROTECTION,
                "prot_params": {"iteration_count": _ITERATIONS},
            }
        wrapped: bytes = pkcs8.wrap(inner, _EC_OID, **how)
        return wrapped


def certificate_key(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of an X.509 certificate, given the part of it that its issuer signed (DER).

    Raises:
        Sm2Error: if there is none.
    """
    asn1 = _package("Crypto.Util.asn1")
    try:
        fields = list(asn1.DerSequence().decode(certificate))
        at = 6 if isinstance(fields[0], bytes) and fields[0][:1] == b"\xa0" else 5  # a version may come first
        found = bytes(fields[at])
    except (ValueError, IndexError, TypeError) as error:
        raise Sm2Error(str(error)) from None
    if not is_sm2(found):
        raise Sm2Error("not an SM2 key")
    return found


def _bytes(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def _package(name: str) -> Any:  # noqa: ANN401  # neither package has types
    try:
        return import_module(name)
    except ImportError as error:
        raise UserMistake([Problem("sm2-absent", "reports", facts={"package": error.name or name})]) from None
