"""A campaign's bundle is signed while it is sealed, and is sealed whatever becomes of the signing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.plugin.signing import KEYS
from conformance.plugin.signing import CampaignSigning
from profiles.problem import UserMistake
from reports.seal import seal
from reports.signing.names import is_attached
from reports.verify import verify


def sealed(evidence: Any, signing: CampaignSigning) -> Path:
    with evidence.create() as store:
        store.append(evidence.observe_all())
        bundle: Path = seal(store, evidence.bundle, signing=signing).path
    return bundle


def codes(bundle: Path) -> list[str]:
    return [found.code for found in verify(bundle).alterations]


def attached(bundle: Path) -> list[str]:
    return [path.name for path in bundle.iterdir() if is_attached(path.name)]


def test_options_name_who_signs_and_where_the_time_comes_from(
    evidence: Any, tester: Any, witness: Any, authority: Any, check: Any
) -> None:
    signing = CampaignSigning([str(tester.key), str(witness.key)], None, authority.url, plan_only=False, environment={})
    bundle = sealed(evidence, signing)
    assert verify(bundle).alterations == []
    found = check(bundle, keys=[tester.public, witness.public], tsa=[authority.root])
    assert [one.identified for one in found.signatures] == ["key", "key"]
    assert all(one.time for one in found.signatures)
    assert len(list(signing.said(bundle))) == 4


def test_the_environment_does_too(evidence: Any, tester: Any, check: Any) -> None:
    signing = CampaignSigning(None, None, None, plan_only=False, environment={KEYS: f"\n{tester.key}\n"})
    assert check(sealed(evidence, signing), keys=[tester.public]).alterations == []


def test_without_a_key_nothing_is_signed(evidence: Any) -> None:
    signing = CampaignSigning(None, None, None, plan_only=False, environment={})
    bundle = sealed(evidence, signing)
    assert (attached(bundle), list(signing.said(bundle))) == ([], [])


def test_a_signature_that_a_resumed_campaign_loses_is_told(evidence: Any, tester: Any) -> None:
    sealed(evidence, CampaignSigning([str(tester.key)], None, None, plan_only=False, environment={}))
    for time in range(2):  # the second time, the bundle before had none either
        again = CampaignSigning(None, None, None, plan_only=False, environment={})
        with evidence.resume() as store:
            bundle = seal(store, evidence.bundle, signing=again).path
        told = list(again.said(bundle))
        if time == 0:
            assert len(told) == 1
            assert "bundle.1" in told[0]
            assert "plantproof sign" in told[0]
    assert told == []


def test_a_plan_needs_no_key() -> None:
    CampaignSigning(["no-such.key"], None, None, plan_only=True, environment={})
    with pytest.raises(UserMistake):
        CampaignSigning(["no-such.key"], None, None, plan_only=False, environment={})


def test_a_key_that_fails_at_the_end_leaves_a_whole_bundle_unsigned(
    evidence: Any, tester: Any, witness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reports.signing.keyfile import KeyFile

    signing = CampaignSigning([str(tester.key), str(witness.key)], None, None, plan_only=False, environment={})
    real: Callable[..., bytes] = KeyFile.sign

    def pulled_out(self: KeyFile, message: bytes) -> bytes:
        if self.path == witness.key:
            raise OSError("the token was pulled out")
        return real(self, message)

    monkeypatch.setattr(KeyFile, "sign", pulled_out)
    bundle = sealed(evidence, signing)
    assert attached(bundle) == []
    (said,) = signing.said(bundle)
    assert "pulled out" in said
    assert "plantproof sign" in said
    assert codes(bundle) == ["signature-announced"] * 2
    monkeypatch.undo()
    for someone in (tester, witness):
        with pytest.raises(SystemExit) as done:
            main(["sign", str(bundle), "--key", str(someone.key)])
        assert done.value.code == 0
    assert codes(bundle) == []


def test_stripped_signatures_show_without_a_key_if_the_bundle_was_sealed_with_them(
    evidence: Any, tester: Any, witness: Any
) -> None:
    signing = CampaignSigning([str(tester.key), str(witness.key)], None, None, plan_only=False, environment={})
    bundle = sealed(evidence, signing)
    assert codes(bundle) == []
    for name in attached(bundle):
        (bundle / name).unlink()
    assert codes(bundle) == ["signature-announced"] * 2
