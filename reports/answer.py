"""What ``plantproof verify --json`` answers: stable, and described by ``reports/schemas/verification-1.json``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field

from reports.bundle import ChainRecord
from reports.signing.found import SignatureFound
from reports.signing.found import StampFound
from reports.verification import Alteration
from reports.verification import Verification


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FindingAnswer(_Answer):
    """Something that is wrong, or worth noting."""

    code: str
    place: str  #: file or item
    facts: dict[str, str]
    text: str  #: for a person, in the language chosen


class StampAnswer(_Answer):
    """A time-stamp (RFC 3161)."""

    file: str
    time: str | None  #: ISO 8601; what it says, trusted or not
    trusted: bool  #: signed by an authority below one of ``--tsa-trust``
    error: str  #: why it is not, where ``--tsa-trust`` was given


class SignatureAnswer(_Answer):
    """A signature in the envelope."""

    keyid: str
    algorithm: str  #: empty if its key could not be read
    valid: bool  #: its mathematics is right
    identified: Literal["key", "certificate", ""]  #: by ``--key``, by ``--trust``, or not at all
    subject: str  #: of the certificate; vouched for only where ``identified`` is ``certificate``
    valid_from: str | None  #: of the certificate, ISO 8601
    valid_until: str | None
    time: str | None  #: ISO 8601; the earliest trusted moment at which it was there
    timestamps: list[StampAnswer]


class VerificationAnswer(_Answer):
    """The whole answer about one bundle."""

    format: Literal["plantproof-verification/1"] = "plantproof-verification/1"
    bundle: str
    campaign: str = ""
    version: int = Field(0, ge=0)  #: of the bundle's format; 0 where the manifest does not say
    sound: bool | None  #: ``null`` if it could not be checked; then ``error`` says why
    error: str | None = None
    files: int = Field(0, ge=0)  #: whose hashes were compared
    observations: int = Field(0, ge=0)  #: rows read
    items: int = Field(0, ge=0)  #: judged again
    chain: ChainRecord | None = None  #: what the manifest says of the hash chain
    signed: bool = False  #: at least one signature's mathematics is right
    identified: bool = False  #: at least one signature is by a given key or below a given authority
    signatures: list[SignatureAnswer] = []
    findings: list[FindingAnswer] = []  #: everything that is wrong
    notes: list[FindingAnswer] = []  #: worth knowing, and nothing wrong


def answer(verification: Verification) -> VerificationAnswer:
    """A verification as machines read it."""
    return VerificationAnswer(
        bundle=str(verification.bundle),
        campaign=verification.campaign,
        version=verification.version,
        sound=verification.sound,
        files=verification.files,
        observations=verification.observations,
        items=verification.items,
        chain=verification.chain,
        signed=any(one.valid for one in verification.signatures),
        identified=any(one.identified for one in verification.signatures),
        signatures=[_signature(one) for one in verification.signatures],
        findings=[_finding(one) for one in verification.alterations],
        notes=[_finding(one) for one in verification.notes],
    )


def _finding(one: Alteration) -> FindingAnswer:
    return FindingAnswer(code=one.code, place=one.place, facts=dict(one.facts), text=one.text())


def _signature(one: SignatureFound) -> SignatureAnswer:
    return SignatureAnswer(
        keyid=one.keyid,
        algorithm=one.algorithm,
        valid=one.valid,
        identified=one.identified,
        subject=one.subject,
        valid_from=one.valid_from and one.valid_from.isoformat(),
        valid_until=one.valid_until and one.valid_until.isoformat(),
        time=one.time and one.time.isoformat(),
        timestamps=[_stamp(stamp) for stamp in one.stamps],
    )


def _stamp(one: StampFound) -> StampAnswer:
    return StampAnswer(file=one.name, time=one.time and one.time.isoformat(), trusted=one.trusted, error=one.error)
