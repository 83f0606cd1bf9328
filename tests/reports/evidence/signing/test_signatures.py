"""Who signed what: every way in which a signed bundle is not what its signers signed is named with its reason."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from conformance.cli import main
from profiles.language import LANGUAGES
from profiles.language import Texts
from profiles.problem import UserMistake
from reports.archive import pack
from reports.bundle import MANIFEST
from reports.signing.envelope import Envelope
from reports.signing.envelope import Signature
from reports.signing.names import ENVELOPE
from reports.signing.names import is_attached
from reports.signing.names import public_name
from reports.signing.names import stamp_name
from reports.signing.passphrase import Passphrase
from reports.signing.public import pem
from reports.signing.rules import rules
from reports.signing.sign import sign_bundle
from reports.signing.signers import open_signer
from reports.verify import verify

Codes = Callable[..., set[str]]
SCHEMA = Path(__file__).parents[4] / "reports" / "schemas" / "verification-1.json"


@pytest.fixture
def signed(bundle: Path, tester: Any, witness: Any) -> Path:
    """Signed by the tester, and then by a witness."""
    sign_bundle(bundle, [tester.signer])
    sign_bundle(bundle, [witness.signer])
    return bundle


def envelope(bundle: Path) -> Envelope:
    return Envelope.parse((bundle / ENVELOPE).read_bytes())


def rewrite(bundle: Path, **fields: Any) -> None:
    """Write the envelope anew, in canonical form."""
    found = envelope(bundle)
    changed = Envelope(fields.get("payload", found.payload), fields.get("signatures", found.signatures))
    (bundle / ENVELOPE).write_bytes(changed.to_bytes())


def test_two_sign_and_both_are_known_by_their_keys(signed: Path, tester: Any, witness: Any) -> None:
    from reports.signing.expected import Expected

    verification = verify(signed, Expected.read([tester.public, witness.public]))
    assert verification.alterations == []
    assert {one.keyid: (one.valid, one.identified) for one in verification.signatures} == {
        tester.keyid: (True, "key"),
        witness.keyid: (True, "key"),
    }
    assert sorted(path.name for path in signed.iterdir() if is_attached(path.name)) == sorted(
        [ENVELOPE, public_name(tester.keyid), public_name(witness.keyid)]
    )


def test_without_a_key_nobody_is_said_to_have_signed(signed: Path, codes: Codes, check: Any) -> None:
    assert codes(signed) == set()
    assert all(one.valid and not one.identified for one in check(signed).signatures)


def test_no_private_key_gets_into_the_bundle(signed: Path, tester: Any, witness: Any) -> None:
    content = b"\n".join(path.read_bytes() for path in signed.rglob("*") if path.is_file())
    for someone in (tester, witness):
        lines = someone.key.read_bytes().splitlines()
        assert lines[0] == b"-----BEGIN PRIVATE KEY-----"
        assert all(line not in content for line in lines)
    assert b"PRIVATE KEY" not in content


def strip(bundle: Path, *_: Any) -> None:
    for path in bundle.iterdir():
        if is_attached(path.name):
            path.unlink()


def strip_tester(bundle: Path, tester: Any, *_: Any) -> None:
    rewrite(bundle, signatures=tuple(one for one in envelope(bundle).signatures if one.keyid != tester.keyid))
    (bundle / public_name(tester.keyid)).unlink()


def leave_the_key(bundle: Path, tester: Any, *_: Any) -> None:
    rewrite(bundle, signatures=tuple(one for one in envelope(bundle).signatures if one.keyid != tester.keyid))


def sign_again_as_somebody_else(bundle: Path, tester: Any, other: Any) -> None:
    strip(bundle)
    sign_bundle(bundle, [other.signer])


def pose(bundle: Path, tester: Any, other: Any) -> None:
    """Somebody else signs, under the tester's id and with a key of their own."""
    message = envelope(bundle).message
    kept = tuple(one for one in envelope(bundle).signatures if one.keyid != tester.keyid)
    rewrite(bundle, signatures=tuple(sorted((*kept, Signature(tester.keyid, other.signer.sign(message))))))
    (bundle / public_name(tester.keyid)).write_bytes(other.signer.public.pem)


def change_the_payload(bundle: Path, *_: Any) -> None:
    rewrite(bundle, payload=envelope(bundle).payload.replace(b"FAILED", b"PASSED"))


def swap_signatures(bundle: Path, *_: Any) -> None:
    one, two = envelope(bundle).signatures
    rewrite(bundle, signatures=(Signature(one.keyid, two.sig), Signature(two.keyid, one.sig)))


def new_manifest(bundle: Path, *_: Any) -> None:
    path = bundle / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"host":"', b'"host":"x', 1))


def other_verdicts(bundle: Path, *_: Any) -> None:
    path = bundle / "results.json"
    path.write_text(path.read_text("utf-8").replace('"verdict": "fail"', '"verdict": "pass"'), "utf-8")


def add_a_signature(bundle: Path, tester: Any, other: Any) -> None:
    sign_bundle(bundle, [other.signer])


def add_a_wrong_signature(bundle: Path, tester: Any, other: Any) -> None:
    public = other.signer.public
    rewrite(bundle, signatures=tuple(sorted((*envelope(bundle).signatures, Signature(public.keyid, b"x" * 64)))))
    (bundle / public_name(public.keyid)).write_bytes(public.pem)


def add_a_key(bundle: Path, tester: Any, other: Any) -> None:
    (bundle / public_name(other.keyid)).write_bytes(other.signer.public.pem)


def remove_a_key(bundle: Path, tester: Any, *_: Any) -> None:
    (bundle / public_name(tester.keyid)).unlink()


def reformat(bundle: Path, *_: Any) -> None:
    path = bundle / ENVELOPE
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))


def add_a_comment_to_a_key(bundle: Path, tester: Any, *_: Any) -> None:
    path = bundle / public_name(tester.keyid)
    path.write_bytes(b"comment\n" + path.read_bytes())


def link_a_key(bundle: Path, tester: Any, *_: Any) -> None:
    path = bundle / public_name(tester.keyid)
    path.unlink()
    path.symlink_to(tester.public)


def huge(bundle: Path, *_: Any) -> None:
    with (bundle / ENVELOPE).open("r+b") as file:
        file.truncate(1 << 40)  # sparse: nothing is written, and nothing may be read whole


ALTERATIONS: dict[Callable[..., None], tuple[set[str], set[str]]] = {
    # What is found with the keys of tester and witness given, and what without any.
    strip: ({"unsigned"}, set()),
    strip_tester: ({"signature-missing"}, set()),
    leave_the_key: ({"signature-missing", "attached-orphan"}, {"attached-orphan"}),
    sign_again_as_somebody_else: ({"signature-missing"}, set()),
    pose: ({"public-other", "signature-missing"}, {"public-other"}),
    change_the_payload: (
        {"statement-differs", "signature-invalid", "signature-missing"},
        {"statement-differs", "signature-invalid"},
    ),
    swap_signatures: ({"signature-invalid", "signature-missing"}, {"signature-invalid"}),
    new_manifest: ({"statement-differs"}, {"statement-differs"}),
    other_verdicts: ({"statement-differs"}, {"statement-differs"}),
    add_a_signature: (set(), set()),
    add_a_wrong_signature: ({"signature-invalid"}, {"signature-invalid"}),
    add_a_key: ({"attached-orphan"}, {"attached-orphan"}),
    remove_a_key: ({"public-missing"}, {"public-missing", "signature-uncheckable"}),
    reformat: ({"envelope-not-canonical", "unsigned"}, {"envelope-not-canonical"}),
    add_a_comment_to_a_key: ({"public-not-canonical"}, {"public-not-canonical"}),
    link_a_key: ({"public-malformed"}, {"public-malformed", "signature-uncheckable"}),
    huge: ({"envelope-malformed", "unsigned"}, {"envelope-malformed"}),
}


@pytest.mark.parametrize("alter", ALTERATIONS)
def test_every_alteration_is_named(
    signed: Path, tester: Any, witness: Any, person: Any, codes: Codes, alter: Callable[..., None]
) -> None:
    alter(signed, tester, person())
    given, alone = ALTERATIONS[alter]
    assert codes(signed, keys=[tester.public, witness.public]) == given
    assert codes(signed) == alone


def test_a_signature_by_nobody_who_was_named_is_noted(signed: Path, person: Any, tester: Any, check: Any) -> None:
    sign_bundle(signed, [person().signer])
    verification = check(signed, keys=[tester.public])
    assert verification.alterations == []
    assert [one.code for one in verification.notes] == ["signature-extra"] * 2


def test_a_missing_signature_says_who_signed_instead(bundle: Path, tester: Any, witness: Any, check: Any) -> None:
    sign_bundle(bundle, [witness.signer])
    (found,) = check(bundle, keys=[tester.public]).alterations
    assert found.facts == {"keyid": tester.keyid[:16], "others": witness.keyid[:16]}


@pytest.fixture(scope="module")
def certified(sealed: Path, tmp_path_factory: Any, tester: Any, person: Any, company: Any, tsa: Any) -> Path:
    """Signed by a key and by a chain of certificates, with a time-stamp each."""
    bundle = Path(shutil.copytree(sealed, tmp_path_factory.mktemp("certified") / "bundle"))
    tsa.say = None
    from reports.signing.authority import stamp

    employee = company.employ(person())
    sign_bundle(bundle, [tester.signer, employee.signer], lambda signature: stamp(tsa.url, signature))
    return bundle


def attached(bundle: Path) -> list[str]:
    return sorted(path.name for path in bundle.iterdir() if is_attached(path.name))


def test_every_single_changed_byte_is_found(certified: Path, codes: Codes, tmp_path: Path) -> None:
    """Every byte of every file beside the manifest but the envelope, and every eleventh of that, without any key."""
    bundle = Path(shutil.copytree(certified, tmp_path / "bundle"))
    assert codes(bundle) == set()
    assert sorted(name.rsplit(".", 1)[1] for name in attached(bundle)) == ["json", "pem", "pem", "tsr", "tsr"]
    for name in attached(bundle):
        path = bundle / name
        whole = path.read_bytes()
        for at in range(0, len(whole), 11 if name == ENVELOPE else 3):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
            assert codes(bundle), f"byte {at} of {name}"
        path.write_bytes(whole)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_changed_added_and_removed_at_random_are_found(
    certified: Path, codes: Codes, tmp_path: Path, data: st.DataObject
) -> None:
    bundle = tmp_path / "bundle"
    if not bundle.exists():
        shutil.copytree(certified, bundle)
    path = bundle / data.draw(st.sampled_from(attached(certified)))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    put = data.draw(st.binary(max_size=5))
    skip = data.draw(st.integers(0, 5))
    changed = whole[:at] + put + whole[at + skip :]
    path.write_bytes(changed)
    try:
        assert bool(codes(bundle)) == (changed != whole)
    finally:
        path.write_bytes(whole)


# Certificates.


@pytest.fixture
def employ(bundle: Path, company: Any, person: Any) -> Callable[..., Path]:
    """Sign the bundle as somebody with a certificate."""

    def make(**more: Any) -> Path:
        employee = company.employ(person(), **more)
        sign_bundle(bundle, [employee.signer])
        return Path(employee.public)

    return make


def usage(**more: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    every = dict.fromkeys((*names, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**every | more)


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({}, set()),
        ({"direct": True}, set()),
        ({"days": (-20, 0.5)}, set()),
        ({"days": (-20, -1)}, {"certificate-expired", "signer-untrusted"}),
        ({"days": (1, 20)}, {"certificate-not-yet-valid", "signer-untrusted"}),
        ({"extensions": ((usage(digital_signature=True), True),)}, set()),
        ({"extensions": ((usage(content_commitment=True), True),)}, set()),
        ({"extensions": ((usage(key_agreement=True), True),)}, {"certificate-unfit", "signer-untrusted"}),
        (
            {"extensions": ((x509.NameConstraints(None, [x509.DNSName("x")]), True),)},
            {"certificate-unfit", "signer-untrusted"},
        ),
    ],
)
def test_a_certificate_below_a_trusted_authority_identifies(
    bundle: Path, employ: Any, company: Any, codes: Codes, check: Any, more: dict[str, Any], wrong: set[str]
) -> None:
    employ(**more)
    assert codes(bundle, trust=[company.trust]) == wrong
    assert codes(bundle) == set()  # without an authority, a certificate is only what somebody claims
    (one,) = check(bundle, trust=[company.trust]).signatures
    assert (one.identified, one.subject) == ("" if wrong else "certificate", "CN=测试员")


def test_an_authority_of_another_company_does_not_count(
    bundle: Path, employ: Any, codes: Codes, company: Any, tmp_path: Path
) -> None:
    employ()
    other = type(company)(tmp_path)  # of the same names, with keys of its own
    assert codes(bundle, trust=[other.trust]) == {"certificate-untrusted", "signer-untrusted"}


@pytest.fixture(scope="module")
def sm2_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority and somebody it certifies, all of SM2, made by openssl."""
    folder = tmp_path_factory.mktemp("sm2")
    named = "distid:1234567812345678"
    by = f"-CA root.pem -CAkey root.key -CAcreateserial -sm3 -sigopt {named} -vfyopt {named}"
    for command in (
        "genpkey -algorithm SM2 -out root.key",
        f"req -x509 -new -key root.key -sm3 -sigopt {named} -subj /CN=root -days 9 -out root.pem",
        "genpkey -algorithm SM2 -out own.key",
        f"req -new -key own.key -sm3 -sigopt {named} -subj /CN=witness -out own.csr",
        f"x509 -req -in own.csr {by} -days 8 -out own.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    with (folder / "own.key").open("ab") as key:
        key.write((folder / "own.pem").read_bytes())
    return folder


def test_certificates_of_sm2_identify_too(
    bundle: Path, sm2_company: Path, company: Any, codes: Codes, check: Any
) -> None:
    sign_bundle(bundle, [open_signer(str(sm2_company / "own.key"), Passphrase(environment={}))])
    (one,) = check(bundle, trust=[sm2_company / "root.pem"]).signatures
    assert (one.identified, one.algorithm, one.subject) == ("certificate", "sm2-sm3", "CN=witness")
    assert codes(bundle, trust=[sm2_company / "root.pem"]) == set()
    assert codes(bundle, trust=[company.trust]) == {"certificate-untrusted", "signer-untrusted"}
    path = next(bundle.glob("manifest.*.pem"))
    altered = x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    at = altered.index(b"witness")
    path.write_bytes(pem("CERTIFICATE", altered[:at] + b"W" + altered[at + 1 :]))
    assert codes(bundle, trust=[sm2_company / "root.pem"]) == {
        "public-other",
        "certificate-untrusted",
        "signer-untrusted",
    }


def test_a_certificate_that_expired_since_the_sealing_is_explained(
    bundle: Path, employ: Any, company: Any, check: Any
) -> None:
    own = employ()
    later = datetime.now(UTC) + timedelta(days=40)
    found = {one.code for one in check(bundle, keys=[own], now=later).alterations}
    assert found == {"certificate-expired-since"}
    assert {one.code for one in check(bundle, now=later).notes} == {"certificate-expired"}


def test_a_bare_key_is_nobody_below_an_authority(bundle: Path, tester: Any, company: Any, codes: Codes) -> None:
    sign_bundle(bundle, [tester.signer])
    assert codes(bundle, trust=[company.trust]) == {"signer-untrusted"}
    assert codes(bundle, trust=[company.trust], keys=[tester.public]) == set()


def test_an_unsigned_bundle_is_nobodys(bundle: Path, tester: Any, company: Any, codes: Codes) -> None:
    assert codes(bundle) == set()
    assert codes(bundle, keys=[tester.public]) == {"unsigned"}
    assert codes(bundle, trust=[company.trust]) == {"unsigned"}


# Signing.


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(UserMistake) as mistake:
        call()
    return mistake.value.problems[0].code


def test_all_who_sign_at_once_have_signed(bundle: Path, person: Any, codes: Codes) -> None:
    people = [person() for _ in range(6)]
    threads = [threading.Thread(target=sign_bundle, args=(bundle, [one.signer])) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes(bundle, keys=[one.public for one in people]) == set()


def test_there_is_a_limit_to_signatures(bundle: Path, person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    few = dataclasses.replace(rules(), signatures=1)
    monkeypatch.setattr("reports.signing.sign.rules", lambda: few)
    assert refused(lambda: sign_bundle(bundle, [person().signer, person().signer])) == "sign-too-many"
    small = dataclasses.replace(rules(), envelope_bytes=1000)
    monkeypatch.setattr("reports.signing.sign.rules", lambda: small)
    assert refused(lambda: sign_bundle(bundle, [person().signer])) == "sign-too-large"
    assert attached(bundle) == []


def test_nobody_signs_twice_or_beside_another_statement(signed: Path, tester: Any, person: Any) -> None:
    assert refused(lambda: sign_bundle(signed, [tester.signer])) == "sign-again"
    new_manifest(signed)
    assert refused(lambda: sign_bundle(signed, [person().signer])) == "sign-other-statement"


def test_the_command_signs_only_what_is_sound(bundle: Path, tester: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as done:
            main(["--lang", "en", "sign", str(bundle), *arguments])
        return int(done.value.code or 0)

    assert run() == 4
    inside = bundle / "own.key"
    shutil.copy(tester.key, inside)
    assert run("--key", str(inside)) == 4
    assert "goes to others" in capsys.readouterr().err
    inside.unlink()
    (bundle / "junit.xml").write_text("changed")
    assert run("--key", str(tester.key)) == 4
    assert "junit.xml" in capsys.readouterr().err
    assert attached(bundle) == []


def test_a_signing_that_was_killed_is_made_good(
    bundle: Path, tester: Any, person: Any, capsys: pytest.CaptureFixture[str], codes: Codes
) -> None:
    """A public part without its signature is left where the power failed between the two."""

    def run(key: Path) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["--lang", "en", "sign", str(bundle), "--key", str(key)])
        return int(ended.value.code or 0)

    (bundle / f"manifest.{tester.keyid[:16]}.pem").write_bytes(tester.signer.public.pem[:60])
    assert codes(bundle) == {"attached-orphan"}
    assert run(person().key) == 4  # of nobody else
    assert run(tester.key) == 0
    assert codes(bundle, keys=[tester.public]) == set()


def test_what_is_packed_is_to_be_unpacked_before_it_is_signed(
    bundle: Path, tester: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pack(bundle, tmp_path / "b.zip")
    with pytest.raises(SystemExit) as ended:
        main(["--lang", "en", "sign", str(tmp_path / "b.zip"), "--key", str(tester.key)])
    assert ended.value.code == 4
    assert "plantproof unpack it first" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("alter", [None, swap_signatures])
def test_machines_read_what_was_found(
    certified: Path,
    tmp_path: Path,
    company: Any,
    tester: Any,
    tsa: Any,
    alter: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = Path(shutil.copytree(certified, tmp_path / "bundle"))
    if alter:
        alter(bundle)
    options = ["--key", tester.public, "--trust", company.trust, "--tsa-trust", tsa.root, "--json"]
    with pytest.raises(SystemExit) as done:
        main(["verify", str(bundle), *map(str, options)])
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, json.loads(SCHEMA.read_text("utf-8")))
    assert (done.value.code, answer["sound"], answer["signed"]) == ((1, False, False) if alter else (0, True, True))
    assert len(answer["signatures"]) == 2
    if not alter:
        assert {one["identified"] for one in answer["signatures"]} == {"key", "certificate"}
        assert all(one["time"] and one["timestamps"][0]["trusted"] for one in answer["signatures"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_are_told_that_who_signed_is_not_shown(
    signed: Path, tester: Any, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    unidentified = Texts.of("reports").get("verify.unidentified", language)[:12]
    for options, said in (([], True), (["--key", str(tester.public)], False)):
        with pytest.raises(SystemExit) as done:
            main(["--lang", language, "verify", str(signed), *options])
        assert done.value.code == 0
        assert (unidentified in capsys.readouterr().out) == said


def test_a_stamps_name_has_its_hash() -> None:
    assert stamp_name("ab" * 32, b"").endswith(".e3b0c44298fc1c14.tsr")
