"""Whether a signer's certificate leads to an authority that is trusted, at one moment (RFC 5280 section 6, in part).

The library's own path validation refuses Ed25519 and SM2 keys, hence this walk. It knows basic constraints and key
usage, refuses every other critical extension but names and extended uses, and asks nobody about revocation.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm

from reports.signing import sm2
from reports.signing.algorithms import KeyUnusable
from reports.signing.public import certified_key
from reports.signing.rules import rules

_UNDERSTOOD = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a certificate is not accepted: ``code`` names the finding."""

    code: str
    subject: str
    what: str


def doubt(chain: Sequence[x509.Certificate], trusted: Iterable[x509.Certificate], moment: datetime) -> Doubt | None:
    """What is wrong with a signer's certificate at a moment; ``None`` if it leads to one of ``trusted``.

    Args:
        chain: the signer's certificate, and others that may help.
        trusted: authorities, or the signer's certificate itself.
        moment: with its zone.

    Raises:
        UserMistake: if a key is of SM2 and what checks it is not installed.
    """
    anchors = tuple(trusted)
    current, below = chain[0], 0
    if found := _unfit_signer(current) or out_of_date(current, moment):
        return found
    while current not in anchors:
        if below >= rules().certificates or (issuer := _issuer(current, (*anchors, *chain[1:]))) is None:
            return Doubt("certificate-untrusted", _name(current), current.issuer.rfc4514_string())
        if found := _unfit_authority(issuer, below) or out_of_date(issuer, moment):
            return found
        current, below = issuer, below + 1
    return None


def out_of_date(one: x509.Certificate, moment: datetime) -> Doubt | None:
    """Whether a certificate is expired, or not valid yet."""
    if moment < one.not_valid_before_utc:
        return Doubt("certificate-not-yet-valid", _name(one), f"{one.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC")
    if moment > one.not_valid_after_utc:
        return Doubt("certificate-expired", _name(one), f"{one.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC")
    return None


def _issuer(one: x509.Certificate, candidates: Iterable[x509.Certificate]) -> x509.Certificate | None:
    return next((it for it in candidates if it != one and it.subject == one.issuer and _issued(one, it)), None)


def _issued(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether ``issuer`` signed ``one``."""
    try:
        if one.signature_algorithm_oid.dotted_string == sm2.SIGNATURE_OID:
            key = certified_key(issuer)
            return sm2.is_sm2(key) and sm2.verify(key, one.tbs_certificate_bytes, one.signature)
        one.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, KeyUnusable, ValueError, TypeError):
        return False
    return True


def _unfit_signer(one: x509.Certificate) -> Doubt | None:
    usage = _extension(one, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        return Doubt("certificate-unfit", _name(one), "keyUsage")
    return _beyond(one)


def _unfit_authority(one: x509.Certificate, below: int) -> Doubt | None:
    """Whether ``one`` may not issue certificates, with ``below`` authorities between it and the signer."""
    constraints, usage = _extension(one, x509.BasicConstraints), _extension(one, x509.KeyUsage)
    if constraints is None or not constraints.ca:
        return Doubt("certificate-unfit", _name(one), "basicConstraints CA")
    if constraints.path_length is not None and constraints.path_length < below:
        return Doubt("certificate-unfit", _name(one), "pathLenConstraint")
    if usage is not None and not usage.key_cert_sign:
        return Doubt("certificate-unfit", _name(one), "keyUsage")
    return _beyond(one)


def _beyond(one: x509.Certificate) -> Doubt | None:
    """A critical extension that is not understood here."""
    for extension in one.extensions:
        if extension.critical and not isinstance(extension.value, _UNDERSTOOD):
            return Doubt("certificate-unfit", _name(one), extension.oid.dotted_string)
    return None


def _extension(one: x509.Certificate, kind: type[x509.ExtensionType]) -> Any:  # noqa: ANN401
    try:
        return one.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _name(one: x509.Certificate) -> str:
    return one.subject.rfc4514_string()
