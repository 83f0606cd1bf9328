"""Who signs a campaign's bundle: seen to before anything is sent, asked when everything is sealed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from profiles.language import Texts
from profiles.problem import UserMistake
from reports.signing.names import ENVELOPE
from reports.wording import visible

if TYPE_CHECKING:
    from reports.signing.sign import Signing
    from reports.signing.signers import Signer

#: Environment variables beside the options: keys, one a line, and the reference to their passphrase.
KEYS = "PLANTPROOF_SIGN"
PASSPHRASE = "PLANTPROOF_SIGN_PASSPHRASE"


class CampaignSigning:
    """The signers of one campaign and the authority of their time-stamps, if there are any."""

    def __init__(
        self,
        keys: list[str] | None,
        passphrase: str | None,
        tsa: str | None,
        *,
        plan_only: bool,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Open every key, and try it: a key that cannot sign shows now, and not after hours of measuring.

        Raises:
            UserMistake: naming the key that cannot sign, or an address that is none.
        """
        names = keys or [line.strip() for line in environment.get(KEYS, "").splitlines() if line.strip()]
        self._signers: list[Signer] = []
        self._done: Signing | None = None
        self._url: str | None = None
        self._failed = ""
        if names and not plan_only:
            from reports.signing.authority import authority
            from reports.signing.passphrase import Passphrase
            from reports.signing.signers import open_signers

            self._url = authority(tsa, environment)
            secret = Passphrase(passphrase or environment.get(PASSPHRASE) or None, environment)
            self._signers = open_signers(names, secret)

    @property
    def keyids(self) -> tuple[str, ...]:
        """Ids of the keys that will sign."""
        return tuple(sorted(one.public.keyid for one in self._signers))

    def __call__(self, folder: Path) -> None:
        """Sign the bundle that is being sealed in ``folder``.

        A token that was pulled out meanwhile, or an authority that does not answer, is said, and keeps nobody from
        their bundle: both can be asked again.
        """
        if not self._signers:
            return
        from reports.signing.authority import stamp
        from reports.signing.sign import sign_draft

        try:
            self._done = sign_draft(folder, self._signers, partial(stamp, self._url) if self._url else None)
        except UserMistake as mistake:
            self._failed = mistake.text()

    def said(self, bundle: Path) -> Iterator[str]:
        """What was signed and time-stamped, a line each."""
        if self._done is not None:
            yield from self._done.lines(bundle)
        if self._failed:
            yield Texts.of("reports").get("sign.unsigned", error=visible(self._failed), bundle=bundle)
        elif self._done is None and (earlier := _signed_before(bundle)):
            yield Texts.of("reports").get("sign.unsigned-now", earlier=earlier.name, bundle=bundle)


def _signed_before(bundle: Path) -> Path | None:
    """The bundle that this one took the place of, if that was signed."""
    before = [path for path in bundle.parent.glob(f"{bundle.name}.*") if path.suffix[1:].isdecimal()]
    latest = max(before, key=lambda path: int(path.suffix[1:]), default=None)
    return latest if latest is not None and (latest / ENVELOPE).is_file() else None
