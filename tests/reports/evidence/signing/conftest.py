"""A sealed bundle, keys, certificates of a small company, and a real time-stamp authority on loopback (openssl)."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from reports.bundle import Bundle
from reports.signing.check import SignatureCheck
from reports.signing.expected import Expected
from reports.signing.keyfile import make_key
from reports.signing.passphrase import Passphrase
from reports.signing.signers import Signer
from reports.signing.signers import open_signer
from reports.verification import Verification

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def without_asking(key: str) -> str:
    raise AssertionError(f"asked for the passphrase of {key}")


NO_PASSPHRASE = Passphrase(environment={}, ask=without_asking)


@dataclass(frozen=True)
class Person:
    """Somebody with a key of their own."""

    key: Path
    public: Path

    @property
    def signer(self) -> Signer:
        return open_signer(str(self.key), NO_PASSPHRASE)

    @property
    def keyid(self) -> str:
        return self.signer.public.keyid


@pytest.fixture(scope="session")
def person(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Person]:
    """Make somebody with a new key."""

    def make(kind: str = "ed25519") -> Person:
        path = tmp_path_factory.mktemp("person") / "own.key"
        _, public = make_key(path, kind, None)
        return Person(path, public)

    return make


@pytest.fixture(scope="session")
def tester(person: Callable[..., Person]) -> Person:
    return person()


@pytest.fixture(scope="session")
def witness(person: Callable[..., Person]) -> Person:
    return person()


@dataclass
class Company:
    """An authority that certifies people's keys, by way of an intermediate one."""

    folder: Path
    root_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    office_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.root = self._issue("root", self.root_key, self.root_key, "root", ca=True)
        self.office = self._issue("office", self.office_key, self.root_key, "root", ca=True)
        self.trust = self.folder / "root.pem"
        self.trust.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))

    def _issue(
        self,
        name: str,
        key: Any,
        by: Any,
        issuer: str,
        *,
        ca: bool = False,
        days: tuple[float, float] = (-30, 30),
        extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + days[0] * DAY)
            .not_valid_after(NOW + days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(by, None if isinstance(by, Ed25519PrivateKey) else hashes.SHA256())

    def employ(self, person: Person, *, direct: bool = False, **more: Any) -> Person:
        """The person with a certificate chain below the key, for as many days from now as ``days`` says."""
        key = serialization.load_pem_private_key(person.key.read_bytes(), None)
        by, issuer = (self.root_key, "root") if direct else (self.office_key, "office")
        chain = [self._issue("测试员", key, by, issuer, **more), *([] if direct else [self.office])]
        pems = [person.key.read_bytes(), *(one.public_bytes(serialization.Encoding.PEM) for one in chain)]
        person.key.write_bytes(b"".join(pems))
        public = person.key.with_name("chain.pem")
        public.write_bytes(b"".join(pems[1:]))
        return Person(person.key, public)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return Company(tmp_path_factory.mktemp("company"))


TSA = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""
EXTENSIONS = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\nbasicConstraints=CA:FALSE\n"


@dataclass
class Authority:
    """An authority of time-stamps: openssl behind HTTP."""

    folder: Path
    url: str = ""
    say: Callable[[bytes], tuple[int, bytes]] | None = None  #: answers in its stead

    def __post_init__(self) -> None:
        new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        self._openssl(f"req -x509 {new} -keyout root.key -out root.pem -subj /CN=TSA-root -days 30")
        self._openssl(f"req {new} -keyout tsa.key -out tsa.csr -subj /CN=TSA")
        (self.folder / "extensions").write_text(EXTENSIONS)
        (self.folder / "tsa.cnf").write_text(TSA.format(folder=self.folder))
        (self.folder / "serial").write_text("01\n")
        by = "-CA root.pem -CAkey root.key -CAcreateserial -days 20 -extfile extensions"
        self._openssl(f"x509 -req -in tsa.csr -out tsa.pem {by}")

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def answer(self, question: bytes) -> bytes:
        (self.folder / "question.tsq").write_bytes(question)
        by = "-signer tsa.pem -inkey tsa.key -out answer.tsr"
        self._openssl(f"ts -reply -config tsa.cnf -section one -queryfile question.tsq {by}")
        return (self.folder / "answer.tsr").read_bytes()

    def _openssl(self, command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    authority = Authority(tmp_path_factory.mktemp("tsa"))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            status, body = authority.say(question) if authority.say else (200, authority.answer(question))
            self.send_response(status)
            if status in (301, 302, 303, 307, 308):
                self.send_header("Location", authority.url)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # whoever has read enough goes away
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    authority.url = f"http://127.0.0.1:{server.server_address[1]}/tsa"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield authority
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def authority(tsa: Authority) -> Iterator[Authority]:
    tsa.say = None
    yield tsa
    tsa.say = None


def look(bundle: Path, *, now: datetime | None = None, **files: list[Path]) -> Verification:
    """The signatures' part of a verification."""
    verification = Verification(bundle)
    expected = Expected.read(files.get("keys", []), files.get("trust", []), files.get("tsa", []))
    opened = Bundle(bundle)
    present = [path.name for path in bundle.iterdir()]
    SignatureCheck(opened, verification, expected, now).run(present, opened.read_manifest())
    return verification


@pytest.fixture(scope="session")
def check() -> Callable[..., Verification]:
    return look


@pytest.fixture(scope="session")
def codes() -> Callable[..., set[str]]:
    """The codes of what is wrong with the signatures of a bundle."""
    return lambda bundle, **more: {found.code for found in look(bundle, **more).alterations}
