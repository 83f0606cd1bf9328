"""Signing a bundle: the draft of one that is being sealed, or one that lies sealed, as witnesses do.

Nothing that was sealed is touched: only files beside the manifest are added, or replaced by longer ones.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from profiles.language import Texts
from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.bundle import MANIFEST
from reports.bundle import Bundle
from reports.plain import Malformed
from reports.plain import read_plain
from reports.signing.authority import AuthoritySilent
from reports.signing.envelope import Envelope
from reports.signing.envelope import EnvelopeMalformed
from reports.signing.envelope import Signature
from reports.signing.names import ENVELOPE
from reports.signing.names import public_name
from reports.signing.names import query_name
from reports.signing.names import short
from reports.signing.names import stamp_name
from reports.signing.names import stamped
from reports.signing.rules import rules
from reports.signing.signers import Signer
from reports.signing.stamps import StampMalformed
from reports.signing.stamps import accepted
from reports.signing.stamps import query
from reports.signing.statement import statement
from reports.wording import visible

#: Gives a time-stamp of a signature, or raises :class:`~reports.signing.authority.AuthoritySilent`.
Stamper = Callable[[bytes], bytes]


@dataclass(slots=True)
class Signing:
    """What was done."""

    signed: list[str] = field(default_factory=list)  #: key ids
    stamped: list[str] = field(default_factory=list)  #: key ids whose signatures were time-stamped
    silent: dict[str, str] = field(default_factory=dict)  #: key ids of those that were to be, and why they are not

    def lines(self, bundle: Path) -> Iterator[str]:
        """What was done, a line each."""
        texts = Texts.of("reports")
        for keyid in self.signed:
            yield texts.get("sign.signed", keyid=short(keyid))
        for keyid in self.stamped:
            yield texts.get("sign.stamped", keyid=short(keyid))
        for keyid, error in self.silent.items():
            yield texts.get("sign.unstamped", keyid=short(keyid), error=visible(error), bundle=bundle)


def sign_draft(folder: Path, signers: Sequence[Signer], stamper: Stamper | None = None) -> Signing:
    """Sign a bundle that is being sealed, in its folder, complete with its manifest.

    Raises:
        UserMistake: if a signer fails. An authority that is silent is no mistake: it can be asked later.
    """
    done = Signing()
    envelope = _add_signatures(folder, _statement_of(folder), (), signers, done)
    _add_stamps(folder, envelope, stamper, done)
    return done


def sign_bundle(bundle: Path, signers: Sequence[Signer], stamper: Stamper | None = None) -> Signing:
    """Add signatures to a sealed bundle, and time-stamps to all that have none.

    The caller has verified the bundle: whoever signs answers for it.

    Raises:
        UserMistake: if a signer has signed already or fails, or the bundle cannot be written.
    """
    done = Signing()
    with _writing(bundle):
        envelope = _envelope(bundle)
        if signers:
            payload = _statement_of(bundle)
            if envelope is not None and envelope.payload != payload:
                raise _mistake("sign-other-statement", bundle / ENVELOPE)
            envelope = _add_signatures(bundle, payload, envelope.signatures if envelope else (), signers, done)
        if envelope is None:
            raise _mistake("sign-nothing", bundle)
        _add_stamps(bundle, envelope, stamper, done)
    return done


def write_queries(bundle: Path, directory: Path) -> list[Path]:
    """Write a question to a time-stamp authority for each signature without a time-stamp, to be carried there.

    Raises:
        UserMistake: if nobody signed, or they cannot be written.
    """
    envelope = _envelope(bundle)
    if envelope is None:
        raise _mistake("sign-nothing", bundle)
    written = []
    for signature in _unstamped(bundle, envelope):
        path = directory / query_name(signature.keyid)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            path.write_bytes(query(signature.sig).as_bytes())
        except OSError as error:
            raise _mistake("sign-cannot-write", path, error=error.strerror or error) from None
        written.append(path)
    return written


def attach_stamp(bundle: Path, answer: Path) -> str:
    """Attach an authority's answer that was got elsewhere; return the id of the key whose signature it stamps.

    Raises:
        UserMistake: if it cannot be read, or is about none of the signatures.
    """
    try:
        with answer.open("rb") as file:
            data = file.read(rules().stamp_bytes + 1)
    except OSError as error:
        raise _mistake("stamp-unusable", answer, error=error.strerror or error) from None
    envelope = _envelope(bundle)
    why = "-"
    for signature in envelope.signatures if envelope else ():
        try:
            accepted(data, signature.sig)
        except StampMalformed as error:
            why = str(error)
            continue
        with _writing(bundle):
            _put(bundle, stamp_name(signature.keyid, data), data)
        return signature.keyid
    raise _mistake("stamp-unusable", answer, error=why)


def _statement_of(folder: Path) -> bytes:
    bundle = Bundle(folder)
    return statement(read_plain(folder, MANIFEST), bundle.manifest.files, bundle.campaign)


def _envelope(bundle: Path) -> Envelope | None:
    """The envelope in the bundle, if there is one."""
    if not os.path.lexists(bundle / ENVELOPE):
        return None
    try:
        return Envelope.parse(read_plain(bundle, ENVELOPE, rules().envelope_bytes))
    except (Malformed, EnvelopeMalformed) as error:
        raise _mistake("envelope-unusable", bundle / ENVELOPE, error=error) from None


def _add_signatures(
    folder: Path, payload: bytes, present: Sequence[Signature], signers: Sequence[Signer], done: Signing
) -> Envelope:
    """Sign, write the public parts, then the envelope: whoever is interrupted leaves no signature without its key."""
    envelope = Envelope(payload, tuple(present))
    if len(present) + len(signers) > rules().signatures:
        raise _mistake("sign-too-many", folder, limit=rules().signatures)
    taken = {short(one.keyid) for one in present}
    for signer in signers:
        if short(signer.public.keyid) in taken:
            raise _mistake("sign-again", folder, keyid=short(signer.public.keyid))
    if len(envelope.to_bytes()) > rules().envelope_bytes // 2:  # the rest is for signatures
        raise _mistake("sign-too-large", folder, size=len(payload))
    envelope = envelope.signed(*(Signature(one.public.keyid, one.sign(envelope.message)) for one in signers))
    for signer in signers:
        _put(folder, public_name(signer.public.keyid), signer.public.pem)
        done.signed.append(signer.public.keyid)
    if signers:
        _put(folder, ENVELOPE, envelope.to_bytes())
    return envelope


def _add_stamps(folder: Path, envelope: Envelope, stamper: Stamper | None, done: Signing) -> None:
    for signature in _unstamped(folder, envelope) if stamper else ():
        try:
            answer = stamper(signature.sig) if stamper else b""
        except AuthoritySilent as silent:
            done.silent[signature.keyid] = str(silent)
            continue
        _put(folder, stamp_name(signature.keyid, answer), answer)
        done.stamped.append(signature.keyid)


def _unstamped(folder: Path, envelope: Envelope) -> list[Signature]:
    there = {stamped(path.name) for path in folder.glob("manifest.*.tsr")}
    return [one for one in envelope.signatures if short(one.keyid) not in there]


@contextmanager
def _writing(bundle: Path) -> Iterator[None]:
    """Hold the bundle's folder, so that two who sign at once do not lose a signature."""
    try:
        descriptor = os.open(bundle, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _mistake("sign-cannot-write", bundle, error=error.strerror or error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    except OSError as error:
        raise _mistake("sign-cannot-write", bundle, error=error.strerror or error) from None
    finally:
        os.close(descriptor)


def _put(folder: Path, name: str, content: bytes) -> None:
    """Write a file of the bundle at once: it is there as a whole, or as it was before."""
    draft = folder.parent / f".{folder.name}.{name}"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder / name)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _mistake(code: str, place: Path, **facts: object) -> UserMistake:
    return UserMistake([Problem(code, "reports", file=str(place), facts=facts)])
