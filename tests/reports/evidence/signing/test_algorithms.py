"""Signatures against published vectors and against openssl, in both directions; every other encoding is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from profiles.problem import UserMistake
from reports.signing import sm2
from reports.signing.algorithms import KeyUnusable
from reports.signing.algorithms import algorithm
from reports.signing.algorithms import is_signature
from reports.signing.algorithms import tidy
from reports.signing.public import PublicPart

MESSAGE = "DSSEv1 签名".encode()
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
#: Options of openssl for each kind of key: how to make one, and how it hashes.
OPENSSL = {
    "ed25519": ("-algorithm ed25519", ""),
    "ecdsa-p256": ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "-digest sha256"),
    "sm2": ("-algorithm EC -pkeyopt ec_paramgen_curve:SM2", "-digest sm3 -pkeyopt distid:1234567812345678"),
}


def openssl(folder: Path, command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *command.split()], cwd=folder, check=False, capture_output=True)


def test_ed25519_as_in_rfc_8032_section_7_1_test_3() -> None:
    key = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
    )
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki[-32:].hex() == "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
    signature = bytes.fromhex(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )
    assert key.sign(b"\xaf\x82") == signature
    assert is_signature(spki, b"\xaf\x82", signature)
    order = 2**252 + 27742317777372353535851937790883648493
    shifted = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert not is_signature(spki, b"\xaf\x82", signature[:32] + shifted)  # the same point, written otherwise


@pytest.mark.parametrize("kind", OPENSSL)
def test_what_openssl_signs_is_right(tmp_path: Path, kind: str) -> None:
    make, how = OPENSSL[kind]
    openssl(tmp_path, f"genpkey {make} -out key.pem")
    openssl(tmp_path, "pkey -in key.pem -pubout -out public.pem")
    (tmp_path / "message").write_bytes(MESSAGE)
    assert openssl(tmp_path, f"pkeyutl -sign -inkey key.pem -rawin {how} -in message -out sig").returncode == 0
    part = PublicPart.parse((tmp_path / "public.pem").read_bytes())
    signature = tidy(part.spki, (tmp_path / "sig").read_bytes())
    assert part.algorithm.startswith(kind)
    assert is_signature(part.spki, MESSAGE, signature)
    assert not is_signature(part.spki, MESSAGE + b"!", signature)


@pytest.mark.parametrize("kind", OPENSSL)
def test_what_is_signed_here_is_right_for_openssl(tmp_path: Path, person: Callable[..., Any], kind: str) -> None:
    someone = person(kind)
    (tmp_path / "message").write_bytes(MESSAGE)
    (tmp_path / "sig").write_bytes(someone.signer.sign(MESSAGE))
    (tmp_path / "public.pem").write_bytes(someone.public.read_bytes())
    check = f"pkeyutl -verify -pubin -inkey public.pem -rawin {OPENSSL[kind][1]} -sigfile sig -in"
    assert openssl(tmp_path, f"{check} message").returncode == 0
    (tmp_path / "other").write_bytes(MESSAGE + b"!")
    assert openssl(tmp_path, f"{check} other").returncode != 0


def test_sm2_as_openssl_dgst_signs_it(tmp_path: Path) -> None:
    openssl(tmp_path, f"genpkey {OPENSSL['sm2'][0]} -out key.pem")
    openssl(tmp_path, "pkey -in key.pem -pubout -out public.pem")
    (tmp_path / "message").write_bytes(MESSAGE)
    made = openssl(tmp_path, "dgst -sm3 -sign key.pem -sigopt distid:1234567812345678 -out sig message")
    assert made.returncode == 0
    part = PublicPart.parse((tmp_path / "public.pem").read_bytes())
    assert is_signature(part.spki, MESSAGE, (tmp_path / "sig").read_bytes())


@pytest.fixture(scope="module")
def made(person: Callable[..., Any]) -> dict[str, tuple[bytes, bytes]]:
    """Of each kind: a key, and its signature of the message."""
    signers = {kind: person(kind).signer for kind in OPENSSL}
    return {kind: (signer.public.spki, signer.sign(MESSAGE)) for kind, signer in signers.items()}


@pytest.mark.parametrize("kind", OPENSSL)
@settings(max_examples=25)
@given(data=st.data())
def test_every_changed_bit_of_a_signature_is_found(
    made: dict[str, tuple[bytes, bytes]], kind: str, data: st.DataObject
) -> None:
    spki, signature = made[kind]
    bit = data.draw(st.integers(0, 8 * len(signature) - 1))
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    assert not is_signature(spki, MESSAGE, bytes(changed))


def test_the_other_right_value_of_an_ecdsa_signature_is_refused(person: Callable[..., Any]) -> None:
    signer = person("ecdsa-p256").signer
    signature = signer.sign(MESSAGE)
    r, s = decode_dss_signature(signature)
    twin = encode_dss_signature(r, P256_ORDER - s)
    assert not is_signature(signer.public.spki, MESSAGE, twin)
    assert tidy(signer.public.spki, twin) == signature


@given(garbage=st.binary(max_size=100))
def test_no_bytes_break_the_check(made: dict[str, tuple[bytes, bytes]], garbage: bytes) -> None:
    for spki, _ in made.values():
        assert not is_signature(spki, MESSAGE, garbage)
    with pytest.raises(KeyUnusable):
        algorithm(garbage)


def test_sm2_refuses_a_point_off_the_curve(person: Callable[..., Any]) -> None:
    signer = person("sm2").signer
    spki = signer.public.spki
    off = spki[:-1] + bytes([spki[-1] ^ 1])
    assert sm2.is_sm2(off)
    assert not is_signature(off, MESSAGE, signer.sign(MESSAGE))


def test_without_its_packages_sm2_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, person: Callable[..., Any]
) -> None:
    signer = person("sm2").signer
    signature = signer.sign(MESSAGE)
    monkeypatch.setitem(sys.modules, "gmalg", None)
    with pytest.raises(UserMistake) as refused:
        is_signature(signer.public.spki, MESSAGE, signature)
    assert refused.value.problems[0].code == "sm2-absent"
    assert "plantproof[sm2]" in refused.value.text("en")


def test_kinds_of_keys_that_are_not_known_are_refused(tmp_path: Path) -> None:
    openssl(tmp_path, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem")
    openssl(tmp_path, "pkey -in key.pem -pubout -out public.pem")
    with pytest.raises(KeyUnusable):
        PublicPart.parse((tmp_path / "public.pem").read_bytes())
