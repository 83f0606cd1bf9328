"""Verification of the signatures of a bundle; what is wrong is a finding, what else is worth saying a note.

Without a key or an authority of the verifier's own, this shows that the enclosed keys signed what is there, and not
whose they are: whoever writes a bundle anew signs it with a key of their own.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from datetime import datetime

from profiles.problem import UserMistake
from reports.bundle import MANIFEST
from reports.bundle import Bundle
from reports.bundle import Manifest
from reports.plain import Malformed
from reports.plain import read_plain
from reports.signing.algorithms import KeyUnusable
from reports.signing.algorithms import is_signature
from reports.signing.chain import Doubt
from reports.signing.chain import doubt
from reports.signing.chain import out_of_date
from reports.signing.envelope import Envelope
from reports.signing.envelope import EnvelopeMalformed
from reports.signing.envelope import Signature
from reports.signing.expected import Expected
from reports.signing.found import SignatureFound
from reports.signing.found import StampFound
from reports.signing.names import ENVELOPE
from reports.signing.names import is_attached
from reports.signing.names import public_name
from reports.signing.names import short
from reports.signing.names import stamp_name
from reports.signing.names import stamped
from reports.signing.public import PublicPart
from reports.signing.rules import rules
from reports.signing.stamps import Stamp
from reports.signing.stamps import StampMalformed
from reports.signing.stamps import StampUntrusted
from reports.signing.statement import statement
from reports.verification import Verification

#: The finding that a signature is not there which the manifest announces.
ANNOUNCED = "signature-announced"
#: The finding that a public part or a time-stamp is there without a signature.
ORPHAN = "attached-orphan"


class SignatureCheck:
    """One look at the signatures of one bundle."""

    def __init__(
        self, bundle: Bundle, verification: Verification, expected: Expected, now: datetime | None = None
    ) -> None:
        self._bundle = bundle
        self._folder = bundle.path
        self._verification = verification
        self._found = verification.found
        self._expected = expected
        self._now = now or datetime.now(UTC)
        self._sealed: datetime | None = None
        self._signed_by: set[bytes] = set()  #: keys of right signatures

    def run(self, present: Collection[str], manifest: Manifest | None) -> None:
        """Check every signature, and that all who should have signed did.

        Args:
            present: names of the files in the bundle.
            manifest: as it stands in the bundle; ``None`` if it cannot be read, which is a finding already.
        """
        self._sealed = _moment(manifest.sealed_utc) if manifest is not None else None
        attached = {name for name in present if is_attached(name)}
        envelope = self._envelope() if ENVELOPE in attached else None
        if envelope is not None:
            if manifest is not None:
                self._compare_statement(envelope, manifest)
            for signature in envelope.signatures:
                self._verification.signatures.append(self._signature(envelope, signature, attached))
        known = {short(one.keyid) for one in envelope.signatures} if envelope else set()
        if envelope is not None or ENVELOPE not in attached:  # of a broken envelope, nobody knows whose they are
            for name in sorted(attached - {ENVELOPE}):
                if stamped(name) not in known:
                    self._found(ORPHAN, name)
        self._all_signed(bool(envelope))
        signed = {one.keyid for one in self._verification.signatures}
        for keyid in manifest.signers if manifest is not None else ():
            if keyid not in signed:
                self._found(ANNOUNCED, ENVELOPE, keyid=short(keyid))

    def _envelope(self) -> Envelope | None:
        try:
            return Envelope.parse(read_plain(self._folder, ENVELOPE, rules().envelope_bytes))
        except Malformed as malformed:
            self._found("envelope-malformed", ENVELOPE, error=malformed.error)
        except EnvelopeMalformed as malformed:
            self._found(malformed.code, ENVELOPE, error=malformed)
        return None

    def _compare_statement(self, envelope: Envelope, manifest: Manifest) -> None:
        """Whether what was signed is what follows from the bundle, byte for byte."""
        try:
            follows = statement(read_plain(self._folder, MANIFEST), manifest.files, self._bundle.read_campaign())
        except (Malformed, UnicodeEncodeError) as error:
            self._found("statement-uncheckable", ENVELOPE, error=error)
            return
        if envelope.payload != follows:
            at = next((at for at, (a, b) in enumerate(zip(envelope.payload, follows, strict=False)) if a != b), -1)
            signed, bundle = (_around(text, at) for text in (envelope.payload, follows))
            self._found("statement-differs", ENVELOPE, signed=signed, bundle=bundle)

    def _signature(self, envelope: Envelope, signature: Signature, attached: Collection[str]) -> SignatureFound:
        found = SignatureFound(signature.keyid)
        part = self._public(signature.keyid, attached)
        candidates = self._expected.keys if part is None else (part,)
        signed = next((one for one in candidates if self._is_right(one, envelope, signature)), None)
        found.valid = signed is not None
        if signed is not None:
            self._signed_by.add(signed.spki)
        elif part is not None:
            self._found("signature-invalid", ENVELOPE, keyid=short(signature.keyid), algorithm=part.algorithm)
        else:
            self._found("signature-uncheckable", ENVELOPE, keyid=short(signature.keyid))
        found.stamps = [
            self._stamp(name, signature)
            for name in sorted(attached)
            if name.endswith(".tsr") and stamped(name) == short(signature.keyid)
        ]
        if part is not None:
            found.algorithm = part.algorithm
            self._identify(found, part)
        return found

    def _public(self, keyid: str, attached: Collection[str]) -> PublicPart | None:
        name = public_name(keyid)
        if name not in attached:
            self._found("public-missing", name)
            return None
        try:
            text = read_plain(self._folder, name, rules().public_bytes)
            part = PublicPart.parse(text)
        except (Malformed, KeyUnusable) as error:
            self._found("public-malformed", name, error=getattr(error, "error", error))
            return None
        except UserMistake as mistake:  # of an SM2 certificate, and what reads it is not installed
            self._found("signature-tool", name, error=mistake.text())
            return None
        if part.pem != text:
            self._found("public-not-canonical", name)
        if part.keyid != keyid:
            self._found("public-other", name)
        return part

    def _is_right(self, part: PublicPart, envelope: Envelope, signature: Signature) -> bool:
        try:
            return is_signature(part.spki, envelope.message, signature.sig)
        except UserMistake as mistake:
            self._found("signature-tool", ENVELOPE, error=mistake.text())
            return False

    def _stamp(self, name: str, signature: Signature) -> StampFound:
        found = StampFound(name)
        try:
            data = read_plain(self._folder, name, rules().stamp_bytes)
            if stamp_name(signature.keyid, data) != name:
                self._found("stamp-altered", name)
            stamp = Stamp.parse(data)
            found.time = stamp.time
        except (Malformed, StampMalformed) as error:
            self._found("stamp-malformed", name, error=getattr(error, "error", error))
            return found
        if not stamp.is_of(signature.sig):
            self._found("stamp-other", name)
            return found
        self._check_time(name, stamp.time)
        if self._expected.tsa:
            try:
                stamp.check(signature.sig, self._expected.tsa)
                found.trusted = True
            except StampUntrusted as untrusted:
                found.error = str(untrusted)
                self._found("stamp-untrusted", name, error=untrusted)
        return found

    def _check_time(self, name: str, time: datetime) -> None:
        if time > self._now + rules().clock_slack:
            self._found("stamp-in-future", name, time=_said(time), now=_said(self._now))
        if self._sealed is not None and time < self._sealed - rules().clock_slack:
            self._found("stamp-before-sealing", name, time=_said(time), sealed=_said(self._sealed))

    def _identify(self, found: SignatureFound, part: PublicPart) -> None:
        """Whose signature it is, as far as the verifier's own keys and authorities tell."""
        given = [key for key in self._expected.keys if key.spki == part.spki]
        if found.valid and given:
            found.identified = "key"
            for key in given:
                self._doubts(found, key, key.certificates)
        if not part.certificates:
            return
        own = part.certificates[0]
        found.subject = own.subject.rfc4514_string()
        found.valid_from, found.valid_until = own.not_valid_before_utc, own.not_valid_after_utc
        if self._expected.trust:
            if not self._doubts(found, part, self._expected.trust) and found.valid:
                found.identified = found.identified or "certificate"
        elif not any(key.certificates for key in given) and (late := out_of_date(own, found.time or self._now)):
            self._verification.noted(late.code, public_name(found.keyid), **self._facts(late, found.time))

    def _doubts(self, found: SignatureFound, part: PublicPart, trusted: tuple[object, ...]) -> bool:
        """Whether anything speaks against a certificate, at the trusted time of the signature or else now."""
        if not part.certificates:
            return False
        place = public_name(found.keyid)
        try:
            wrong = doubt(part.certificates, trusted, found.time or self._now)  # type: ignore[arg-type]
        except UserMistake as mistake:
            self._found("signature-tool", place, error=mistake.text())
            return True
        if wrong is not None:
            code = wrong.code
            if code == "certificate-expired" and found.time is None and self._was_valid(part):
                code = "certificate-expired-since"
            self._found(code, place, **self._facts(wrong, found.time))
        return wrong is not None

    def _was_valid(self, part: PublicPart) -> bool:
        return self._sealed is not None and out_of_date(part.certificates[0], self._sealed) is None

    def _facts(self, wrong: Doubt, time: datetime | None) -> dict[str, object]:
        return {"subject": wrong.subject, "what": wrong.what, "moment": _said(time or self._now)}

    def _all_signed(self, signed: bool) -> None:
        """All given keys must have signed, and with authorities given, somebody whom they certify."""
        expected = self._expected
        others = ", ".join(short(one.keyid) for one in self._verification.signatures) or "-"
        for key in expected.keys:
            if key.spki not in self._signed_by:
                code = "signature-missing" if signed else "unsigned"
                self._found(code, ENVELOPE, keyid=short(key.keyid), others=others)
        if expected.trust and not any(one.identified for one in self._verification.signatures):
            self._found("signer-untrusted" if signed else "unsigned", ENVELOPE, keyid="-", others=others)
        for one in self._verification.signatures:
            if one.valid and not one.identified and (expected.keys or expected.trust):
                self._verification.noted("signature-extra", ENVELOPE, keyid=short(one.keyid))
            if one.valid and expected.tsa and not one.stamps:
                self._verification.noted("stamp-none", ENVELOPE, keyid=short(one.keyid))


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _moment(text: str) -> datetime | None:
    """A moment with its zone; anything else is a finding elsewhere."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _around(text: bytes, at: int) -> str:
    """What stands at the first difference."""
    return text[max(0, at - 20) : at + 40].decode(errors="replace") if at >= 0 else f"{len(text)} B"
