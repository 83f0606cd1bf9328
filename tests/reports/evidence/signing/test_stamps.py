"""Time-stamps of a real authority (openssl, on loopback): asked for, attached later, checked, and every lie named."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from conformance.cli import main
from profiles.problem import UserMistake
from reports.signing.authority import VARIABLE
from reports.signing.authority import AuthoritySilent
from reports.signing.authority import authority as chosen
from reports.signing.authority import stamp
from reports.signing.envelope import Envelope
from reports.signing.expected import Expected
from reports.signing.names import ENVELOPE
from reports.signing.sign import attach_stamp
from reports.signing.sign import sign_bundle
from reports.signing.sign import sign_draft
from reports.signing.sign import write_queries
from reports.signing.stamps import Stamp
from reports.signing.stamps import StampMalformed
from reports.signing.stamps import StampUntrusted
from reports.signing.stamps import query

Codes = Callable[..., set[str]]


def stamp_of(bundle: Path) -> Path:
    (found,) = bundle.glob("manifest.*.tsr")
    return found


@pytest.fixture
def stamped(bundle: Path, tester: Any, authority: Any) -> Path:
    sign_bundle(bundle, [tester.signer], partial(stamp, authority.url))
    return bundle


def test_a_stamp_says_since_when_a_signature_is_there(stamped: Path, authority: Any, check: Any, tester: Any) -> None:
    verification = check(stamped, tsa=[authority.root], keys=[tester.public])
    assert verification.alterations == []
    (one,) = verification.signatures
    assert one.time is not None
    assert abs(datetime.now(UTC) - one.time) < timedelta(minutes=1)
    (one,) = check(stamped).signatures
    assert (one.time, one.stamps[0].trusted) == (None, False)  # nobody vouches for the authority


def test_openssl_alone_can_check_it(stamped: Path, authority: Any, tmp_path: Path) -> None:
    (signature,) = Envelope.parse((stamped / ENVELOPE).read_bytes()).signatures
    (tmp_path / "sig").write_bytes(signature.sig)
    command = [
        "openssl",
        "ts",
        "-verify",
        "-data",
        tmp_path / "sig",
        "-in",
        stamp_of(stamped),
        "-CAfile",
        authority.root,
    ]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_another_authority_is_not_believed(stamped: Path, codes: Codes, company: Any) -> None:
    assert codes(stamped, tsa=[company.trust]) == {"stamp-untrusted"}
    assert codes(stamped) == set()


def test_a_certificate_that_expired_is_good_for_what_was_stamped_before(
    bundle: Path, person: Any, company: Any, authority: Any, check: Any
) -> None:
    employee = company.employ(person(), days=(-20, 5))
    sign_bundle(bundle, [employee.signer], partial(stamp, authority.url))
    later = datetime.now(UTC) + timedelta(days=10)
    judged = partial(check, bundle, now=later, trust=[company.trust])
    assert judged(tsa=[authority.root]).alterations == []
    assert {one.code for one in judged().alterations} == {"certificate-expired-since", "signer-untrusted"}


@pytest.mark.parametrize(("days", "code"), [((-20, -1), "certificate-expired"), ((1, 5), "certificate-not-yet-valid")])
def test_a_certificate_that_was_not_valid_at_the_stamp_is_refused_whatever_it_is_now(
    bundle: Path, person: Any, company: Any, authority: Any, codes: Codes, days: tuple[int, int], code: str
) -> None:
    employee = company.employ(person(), days=days)
    sign_bundle(bundle, [employee.signer], partial(stamp, authority.url))
    during = datetime.now(UTC) + timedelta(days=2)  # the second certificate is valid then
    assert codes(bundle, now=during, trust=[company.trust], tsa=[authority.root]) == {code, "signer-untrusted"}


def der(tag: int, content: bytes) -> bytes:
    """One value of ASN.1."""
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


@pytest.mark.parametrize(
    ("usage", "trusted"),
    [
        ("critical,timeStamping", True),
        ("timeStamping,codeSigning", False),
        ("critical,codeSigning", False),
        ("", False),
    ],
)
def test_only_who_is_certified_for_time_is_believed(authority: Any, usage: str, trusted: bool) -> None:
    """Somebody whom the same authority certifies for other things writes a time-stamp as an authority would."""

    def openssl(command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=authority.folder, check=True, capture_output=True)

    signature = b"a signature"
    (authority.folder / "true.tsr").write_bytes(authority.answer(query(signature).as_bytes()))
    openssl("ts -reply -in true.tsr -token_out -out true.tok")
    openssl("cms -verify -noverify -inform DER -in true.tok -out said.der")
    extended = f"extendedKeyUsage={usage}\n" if usage else ""
    (authority.folder / "own").write_text(f"{extended}keyUsage=critical,digitalSignature\n")
    openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout own.key -out own.csr -subj /CN=TSA")
    openssl("x509 -req -in own.csr -out own.pem -CA root.pem -CAkey root.key -CAcreateserial -days 9 -extfile own")
    content = "-binary -nodetach -econtent_type 1.2.840.113549.1.9.16.1.4 -in said.der"
    openssl(f"cms -sign -cades -md sha256 {content} -signer own.pem -inkey own.key -outform DER -out own.tok")
    answer = der(0x30, der(0x30, der(2, b"\0")) + (authority.folder / "own.tok").read_bytes())
    made, roots = Stamp.parse(answer), Expected.read(tsa=[authority.root]).tsa
    assert made.is_of(signature)
    if trusted:
        made.check(signature, roots)
    else:
        with pytest.raises(StampUntrusted):
            made.check(signature, roots)


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=-1)])
def test_clocks_that_disagree_are_named(stamped: Path, codes: Codes, ahead: timedelta) -> None:
    found = codes(stamped, now=datetime.now(UTC) - ahead)
    assert ("stamp-in-future" in found) == (ahead > timedelta())
    assert "stamp-before-sealing" not in found


def test_a_bundle_sealed_by_a_clock_that_was_ahead_is_named(
    bundle: Path, tester: Any, authority: Any, codes: Codes
) -> None:
    path = bundle / "manifest.json"
    text = path.read_text("utf-8")
    at = text.index('"sealed_utc":"') + len('"sealed_utc":"')
    path.write_text(text[:at] + "2099" + text[at + 4 :], "utf-8")
    sign_bundle(bundle, [tester.signer], partial(stamp, authority.url))
    assert "stamp-before-sealing" in codes(bundle)


def foreign(bundle: Path, authority: Any) -> None:
    """A true stamp, of another signature."""
    from reports.signing.names import stamp_name

    keyid = Envelope.parse((bundle / ENVELOPE).read_bytes()).signatures[0].keyid
    other = stamp(authority.url, b"another signature")
    stamp_of(bundle).unlink()
    (bundle / stamp_name(keyid, other)).write_bytes(other)


def garbage(bundle: Path, authority: Any) -> None:
    from reports.signing.names import stamp_name

    keyid = Envelope.parse((bundle / ENVELOPE).read_bytes()).signatures[0].keyid
    stamp_of(bundle).unlink()
    (bundle / stamp_name(keyid, b"\x30\x00")).write_bytes(b"\x30\x00")


def renamed(bundle: Path, authority: Any) -> None:
    path = stamp_of(bundle)
    path.rename(path.with_name(path.name[:-21] + "." + "0" * 16 + ".tsr"))


@pytest.mark.parametrize(
    ("alter", "wrong"), [(foreign, {"stamp-other"}), (garbage, {"stamp-malformed"}), (renamed, {"stamp-altered"})]
)
def test_a_stamp_of_something_else_is_named(
    stamped: Path, authority: Any, codes: Codes, alter: Callable[..., None], wrong: set[str]
) -> None:
    alter(stamped, authority)
    assert codes(stamped, tsa=[authority.root]) == wrong


def silent(authority: Any, signature: bytes = b"signature", limit_s: float = 5) -> str:
    with pytest.raises(AuthoritySilent) as told:
        stamp(authority.url, signature, limit_s)
    return str(told.value)


@pytest.mark.parametrize("status", [302, 307, 403, 500])
def test_an_authority_that_refuses_or_sends_elsewhere_is_silent(authority: Any, status: int) -> None:
    authority.say = lambda question: (status, b"")
    assert silent(authority)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\x30\x05\x30\x03\x02\x01\x02", b"\x30" * 1_000_000])
def test_an_answer_that_is_none_is_not_kept(authority: Any, body: bytes) -> None:
    authority.say = lambda question: (200, body)
    assert silent(authority)


def test_an_answer_to_another_question_is_not_kept(authority: Any) -> None:
    earlier = stamp(authority.url, b"signature")
    authority.say = lambda question: (200, earlier)
    assert silent(authority) == "nonce"
    assert silent(authority, b"another") == "messageImprint"


def test_an_authority_that_never_answers_is_given_up(authority: Any) -> None:
    def wait(question: bytes) -> tuple[int, bytes]:
        time.sleep(1)  # longer than is waited for
        return 200, b""

    authority.say = wait
    started = time.monotonic()
    assert silent(authority, limit_s=0.2)
    assert time.monotonic() - started < 1


def test_an_authority_whose_header_never_ends_is_given_up(authority: Any) -> None:
    done = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not done.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        started = time.monotonic()
        with pytest.raises(AuthoritySilent):
            stamp(f"http://127.0.0.1:{server.getsockname()[1]}/", b"signature", 0.3)
        assert time.monotonic() - started < 3
        done.set()
        thread.join()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "http://", "http://[::1"])
def test_what_is_no_address_of_an_authority_is_told_at_once(url: str) -> None:
    with pytest.raises(UserMistake) as mistake:
        chosen(url)
    assert mistake.value.problems[0].code == "tsa-url"


def test_the_environment_names_an_authority_too() -> None:
    assert chosen(None, {}) is None
    assert chosen(None, {VARIABLE: "http://192.0.2.1/"}) == "http://192.0.2.1/"
    assert chosen("https://192.0.2.2/", {VARIABLE: "http://192.0.2.1/"}) == "https://192.0.2.2/"


def test_sealing_without_an_answer_is_told_and_made_good_later(
    bundle: Path, tester: Any, authority: Any, codes: Codes, check: Any
) -> None:
    authority.say = lambda question: (503, b"")
    done = sign_draft(bundle, [tester.signer], partial(stamp, authority.url))
    assert list(done.silent) == [tester.keyid]
    assert any("--timestamp" in line for line in done.lines(bundle))
    assert codes(bundle, tsa=[authority.root]) == set()
    assert [one.code for one in check(bundle, tsa=[authority.root]).notes] == ["stamp-none"]
    authority.say = None
    with pytest.raises(SystemExit) as exit_:
        main(["sign", str(bundle), "--timestamp", "--tsa", authority.url])
    assert exit_.value.code == 0
    assert check(bundle, tsa=[authority.root]).signatures[0].time is not None
    before = sorted(path.name for path in bundle.iterdir())
    with pytest.raises(SystemExit):
        main(["sign", str(bundle), "--timestamp", "--tsa", authority.url])
    assert sorted(path.name for path in bundle.iterdir()) == before  # one is enough


def test_a_question_is_carried_away_and_its_answer_brought_back(
    bundle: Path, tester: Any, authority: Any, tmp_path: Path, check: Any
) -> None:
    sign_bundle(bundle, [tester.signer])
    with pytest.raises(SystemExit) as done:
        main(["sign", str(bundle), "--write-query", str(tmp_path / "stick")])
    assert done.value.code == 0
    (question,) = (tmp_path / "stick").iterdir()
    (tmp_path / "answer.tsr").write_bytes(authority.answer(question.read_bytes()))
    with pytest.raises(SystemExit) as done:
        main(["sign", str(bundle), "--attach", str(tmp_path / "answer.tsr")])
    assert done.value.code == 0
    assert check(bundle, tsa=[authority.root]).signatures[0].time is not None
    assert write_queries(bundle, tmp_path / "stick") == []


def test_an_answer_about_something_else_is_not_attached(
    bundle: Path, tester: Any, authority: Any, tmp_path: Path
) -> None:
    sign_bundle(bundle, [tester.signer])
    (tmp_path / "a.tsr").write_bytes(stamp(authority.url, b"other"))
    (tmp_path / "b.tsr").write_bytes(b"hello")
    for name in ("a.tsr", "b.tsr", "none.tsr"):
        with pytest.raises(UserMistake) as mistake:
            attach_stamp(bundle, tmp_path / name)
        assert mistake.value.problems[0].code == "stamp-unusable"
    assert not list(bundle.glob("*.tsr"))


@pytest.mark.parametrize("options", [["--timestamp"], ["--timestamp", "--tsa", "http://127.0.0.1:1/"]])
def test_the_command_says_what_is_missing(
    bundle: Path, options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SystemExit) as done:
        main(["--lang", "en", "sign", str(bundle), *options])
    assert done.value.code == 4
    assert "Traceback" not in capsys.readouterr().err


@pytest.fixture(scope="module")
def answer(tsa: Any) -> bytes:
    tsa.say = None
    return stamp(tsa.url, b"signature")


@settings(max_examples=200)
@given(data=st.data())
def test_no_answer_breaks_the_reader(answer: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(answer)))
    changed = answer[:at] + data.draw(st.binary(max_size=8)) + answer[at + data.draw(st.integers(0, 8)) :]
    try:
        right = Stamp.parse(changed).is_of(b"signature")
    except StampMalformed:
        return
    assert right in (True, False)


def test_two_authorities_may_stamp_one_signature(stamped: Path, authority: Any, tmp_path: Path, check: Any) -> None:
    (signature,) = Envelope.parse((stamped / ENVELOPE).read_bytes()).signatures
    (tmp_path / "more.tsr").write_bytes(stamp(authority.url, signature.sig))
    attach_stamp(stamped, tmp_path / "more.tsr")
    (one,) = check(stamped, tsa=[authority.root]).signatures
    assert [it.trusted for it in one.stamps] == [True, True]
    assert one.time == min(it.time for it in one.stamps)
    shutil.rmtree(stamped)
