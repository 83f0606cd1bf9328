"""Keys: made for one pair of eyes, never overwritten, opened by passphrase, token or another package's factory."""

from __future__ import annotations

import importlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from profiles.problem import UserMistake
from reports.signing.expected import Expected
from reports.signing.keyfile import KINDS
from reports.signing.keyfile import make_key
from reports.signing.passphrase import Passphrase
from reports.signing.signers import open_signer
from reports.signing.signers import open_signers

SECRET = "an-öffentlich 口令"
ENVIRONMENT = {"KEY_PASS": SECRET, "PIN": "4711", "WRONG": "wrong"}


def never(prompt: str) -> str:
    raise AssertionError(prompt)


def passphrase(reference: str | None = None, ask: Callable[[str], str] = never) -> Passphrase:
    return Passphrase(reference, ENVIRONMENT, ask)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(UserMistake) as mistake:
        call()
    said = mistake.value.text("en")
    assert all(secret not in said for secret in ENVIRONMENT.values())
    return mistake.value.problems[0].code


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protected", [False, True])
def test_a_new_key_signs_is_its_owners_only_and_is_known_to_openssl(tmp_path: Path, kind: str, protected: bool) -> None:
    previous = os.umask(0)
    try:
        part, public = make_key(tmp_path / "own.key", kind, SECRET if protected else None)
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "own.key").stat().st_mode) == 0o600
    assert public.read_bytes() == part.pem
    signer = open_signer(str(tmp_path / "own.key"), passphrase("env:KEY_PASS" if protected else None))
    assert signer.public == part
    command = ["openssl", "pkey", "-in", str(tmp_path / "own.key"), "-passin", "env:KEY_PASS", "-pubout"]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, check=True, capture_output=True)
    assert done.stdout == part.pem
    label = b"ENCRYPTED PRIVATE KEY" if protected else b"PRIVATE KEY"
    assert (tmp_path / "own.key").read_bytes().startswith(b"-----BEGIN " + label)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_that_openssl_made_and_encrypted_are_read(tmp_path: Path, kind: str) -> None:
    made = {"ed25519": "ed25519", "ecdsa-p256": "EC -pkeyopt ec_paramgen_curve:P-256", "sm2": "SM2"}[kind]
    make = f"openssl genpkey -algorithm {made} -aes256 -pass env:KEY_PASS -out {tmp_path}/own.key"
    subprocess.run(make.split(), env=os.environ | ENVIRONMENT, check=True, capture_output=True)
    (tmp_path / "own.key").chmod(0o600)
    signer = open_signer(str(tmp_path / "own.key"), passphrase("env:KEY_PASS"))
    assert signer.public.algorithm.startswith(kind)
    assert refused(lambda: open_signer(str(tmp_path / "own.key"), passphrase("env:WRONG"))) in {
        "key-wrong-passphrase",
        "key-unusable",
    }


@pytest.mark.parametrize("taken", ["own.key", "own.key.pub"])
@pytest.mark.parametrize("link", [False, True])
def test_nothing_is_overwritten(tmp_path: Path, taken: str, link: bool) -> None:
    if link:
        (tmp_path / taken).symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / taken).write_text("precious")
    assert refused(lambda: make_key(tmp_path / "own.key", "ed25519", None)) == "key-exists"
    assert not (tmp_path / "elsewhere").exists()
    assert link or (tmp_path / taken).read_text() == "precious"


def test_a_passphrase_is_asked_for_only_where_there_is_one(tmp_path: Path) -> None:
    make_key(tmp_path / "open.key", "ed25519", None)
    make_key(tmp_path / "shut.key", "ed25519", SECRET)
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return SECRET

    open_signer(str(tmp_path / "open.key"), passphrase(ask=answer))
    assert not asked
    open_signer(str(tmp_path / "shut.key"), passphrase(ask=answer))
    assert len(asked) == 1
    assert "shut.key" in asked[0]


def test_a_new_passphrase_is_asked_for_twice() -> None:
    answers = iter(["a", "a", "a", "b", ""])
    asking = Passphrase(None, {}, lambda prompt: next(answers))
    assert asking.new("k") == "a"
    assert refused(lambda: asking.new("k")) == "passphrase-differs"
    assert asking.new("k") is None


def write(path: Path, text: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text)
    path.chmod(mode)
    return path


def test_what_cannot_sign_is_told_by_name(tmp_path: Path, tester: Any, witness: Any) -> None:
    make_key(tmp_path / "shut.key", "ed25519", SECRET)
    key, other = tester.key.read_bytes(), witness.key.read_bytes()
    files = {
        "key-cannot-read": tmp_path / "none.key",
        "key-none": write(tmp_path / "a.key", b"hello"),
        "key-open-to-all": write(tmp_path / "b.key", key, 0o604),
        "key-unusable": write(tmp_path / "c.key", key.replace(b"MC4", b"MC5")),
        "passphrase-unset": tmp_path / "shut.key",
    }
    for code, path in files.items():
        assert refused(lambda path=path: open_signer(str(path), passphrase("env:ABSENT"))) == code
    assert refused(lambda: open_signer(str(write(tmp_path / "d.key", key + other)), passphrase())) == "key-none"
    assert refused(lambda: open_signer("nosuch:key", passphrase())) == "signer-unknown"
    wrong = refused(lambda: open_signer(str(tmp_path / "shut.key"), passphrase("env:WRONG")))
    assert wrong == "key-wrong-passphrase"
    twice = write(tmp_path / "e.key", key)
    assert refused(lambda: open_signers([str(tester.key), str(twice)], passphrase())) == "signer-twice"


@pytest.mark.parametrize("given", ["hunter2", "env:", "env:A B", "keyring:a/b", ""])
def test_a_passphrase_on_the_command_line_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(UserMistake) as mistake:
        Passphrase(given)
    assert mistake.value.problems[0].code == "passphrase-no-reference"
    assert not given or given not in mistake.value.text("en").replace("env:NAME", "")


def test_without_a_terminal_nobody_waits_for_an_answer(tmp_path: Path) -> None:
    make_key(tmp_path / "shut.key", "ed25519", SECRET)
    command = [sys.executable, "-m", "conformance.cli", "key", "show", str(tmp_path / "shut.key")]
    code = "import sys; from conformance.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "--lang", "en", "key", "show", str(tmp_path / "shut.key")]
    done = subprocess.run(command, start_new_session=True, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "env:NAME" in done.stderr) == (4, True)


def test_the_certificate_below_a_key_must_be_its_own(tmp_path: Path, company: Any, person: Any) -> None:
    someone, other = company.employ(person()), person()
    assert len(someone.signer.public.certificates) == 2
    mixed = write(tmp_path / "mixed.key", other.key.read_bytes() + someone.public.read_bytes())
    assert refused(lambda: open_signer(str(mixed), passphrase())) == "key-other-certificate"


def test_what_verifies_takes_no_private_key(tester: Any, tmp_path: Path) -> None:
    assert refused(lambda: Expected.read([tester.key])) == "public-is-private"
    assert refused(lambda: Expected.read(trust=[tester.public])) == "trust-unusable"
    assert refused(lambda: Expected.read([write(tmp_path / "x", b"hello")])) == "public-unusable"
    assert refused(lambda: Expected.read([tmp_path / "none"])) == "key-cannot-read"


# Tokens, by a real SoftHSM.

MODULE = next((path for path in Path("/usr/lib").glob("**/libsofthsm2.so")), None)
LABEL = "lab"
needs_softhsm = pytest.mark.skipif(MODULE is None, reason="SoftHSM is not installed")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A token with two keys; the module reads its configuration once in a process."""
    pkcs11 = pytest.importorskip("pkcs11")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    start = ["softhsm2-util", "--init-token", "--free", "--label", "lab", "--pin", "4711", "--so-pin", "0815"]
    subprocess.run(start, check=True, capture_output=True)
    from pkcs11.util.ec import encode_named_curve_parameters

    with pkcs11.lib(str(MODULE)).get_token(token_label=LABEL).open(rw=True, user_pin="4711") as session:
        for label, kind, curve in (
            ("p256", pkcs11.KeyType.EC, "secp256r1"),
            ("ed", pkcs11.KeyType.EC_EDWARDS, "1.3.101.112"),
        ):
            parameters = session.create_domain_parameters(
                kind, {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
            )
            parameters.generate_keypair(store=True, label=label, id=label.encode())
    yield f"pkcs11:token=lab;object=%s?module-path={MODULE}&pin-source=env:PIN"
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@needs_softhsm
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("env:PIN", "env:WRONG"), "pkcs11-failed"),  # before anybody is logged in, as long as the process lives
        (("token=lab", "token=other"), "pkcs11-token"),
        (("object=p256", "object=none"), "pkcs11-key"),
        (("object=p256", "type=private"), "pkcs11-key"),
        (("env:PIN", "env:ABSENT"), "passphrase-unset"),
        (("pin-source=env:PIN", "pin-value=4711"), "pkcs11-pin-in-uri"),
        (("pin-source=env:PIN", "pin-source=/etc/pin"), "passphrase-no-reference"),
        (("object=p256", "thing=p256"), "pkcs11-attribute"),
        ((f"module-path={MODULE}&", ""), "pkcs11-no-module"),
        ((str(MODULE), "/no/such/module.so"), "pkcs11-failed"),
    ],
)
def test_what_is_wrong_with_a_token_is_told(token: str, change: tuple[str, str], code: str) -> None:
    uri = (token % "p256").replace(*change)
    assert uri != token % "p256"
    assert refused(lambda: open_signer(uri, passphrase())) == code


@needs_softhsm
@pytest.mark.parametrize(("label", "algorithm"), [("p256", "ecdsa-p256-sha256"), ("ed", "ed25519")])
def test_a_token_signs_and_its_key_stays_there(
    token: str, label: str, algorithm: str, bundle: Path, codes: Callable[..., set[str]], tmp_path: Path
) -> None:
    from reports.signing.sign import sign_bundle

    signer = open_signer(token % label, passphrase())
    assert signer.public.algorithm == algorithm
    sign_bundle(bundle, [signer])
    public = write(tmp_path / "token.pub", signer.public.pem)
    assert codes(bundle, keys=[public]) == set()


def test_without_its_package_a_token_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    assert refused(lambda: open_signer("pkcs11:token=x?module-path=/m.so", passphrase("env:PIN"))) == "pkcs11-absent"


# Other packages.

SAFE = """
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

class Safe:
    def __init__(self, key):
        self.public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.sign = key.sign

def open_safe(uri, passphrase):
    assert passphrase.of(uri) == "4711"
    return Safe(Ed25519PrivateKey.from_private_bytes(uri.removeprefix("safe:").encode().ljust(32)))

def broken(uri, passphrase):
    raise OSError("the door is stuck")

def liar(uri, passphrase):
    safe = open_safe("safe:1", passphrase)
    safe.sign = lambda message: b"x" * 64
    return safe
"""


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information = tmp_path / "site" / "acme_safe-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-safe\nVersion: 1\n")
    entries = "safe = acme_safe:open_safe\nstuck = acme_safe:broken\nliar = acme_safe:liar\ngone = acme_gone:x\n"
    (information / "entry_points.txt").write_text(f"[plantproof.signers]\n{entries}")
    (tmp_path / "site" / "acme_safe.py").write_text(SAFE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    importlib.invalidate_caches()


@pytest.mark.usefixtures("other_package")
def test_another_package_offers_a_signer_under_its_own_scheme(bundle: Path, codes: Callable[..., set[str]]) -> None:
    from reports.signing.sign import sign_bundle

    sign_bundle(bundle, [open_signer("safe:tester", passphrase("env:PIN"))])
    assert codes(bundle) == set()


@pytest.mark.usefixtures("other_package")
@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("stuck:1", "extension-broken"),
        ("gone:1", "extension-broken"),
        ("liar:1", "signer-failed"),
        ("no:1", "signer-unknown"),
    ],
)
def test_a_broken_package_is_told_by_name(uri: str, code: str) -> None:
    assert refused(lambda: open_signer(uri, passphrase("env:PIN"))) == code


def test_the_command_makes_a_key_and_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "own.key")
    for arguments in (["new", path, "--unprotected"], ["show", path], ["show", f"{path}.pub"]):
        with pytest.raises(SystemExit) as done:
            main(["--lang", "en", "key", *arguments])
        assert done.value.code == 0
    said = capsys.readouterr().out
    keyid = open_signer(path, passphrase()).public.keyid
    assert said.count(keyid) == 3
    assert said.count("BEGIN PUBLIC KEY") == 2
    assert "PRIVATE" not in said
    for wrong in (["new", path, "--unprotected"], ["new", f"{path}2", "--kind", "rsa"], ["show", f"{path}9"]):
        with pytest.raises(SystemExit) as done:
            main(["--lang", "en", "key", *wrong])
        assert done.value.code == 4
