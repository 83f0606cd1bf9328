"""Files of strangers: refused with the reason, in bounded memory, and never with a traceback."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from profiles.problem import UserMistake
from reports.forms.check import check_form
from reports.forms.reading import read_document
from tests.reports.forms.conftest import rewritten


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    document = docx.Document()
    document.add_paragraph("工厂网络")
    path = tmp_path_factory.mktemp("plain") / "plain.docx"
    document.save(str(path))
    return path


def body(change: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda name, content: change(content) if name == "word/document.xml" else content


def bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("word/header9.xml", "w") as part:
        for _ in range(40):
            part.write(b" " * (1 << 20))
    return path


_UTF7 = b"<?xml version='1.0' encoding='utf-7'?>"
_MANY_TAGS = b"<a>" + b"<b/>" * 1_600_000 + b"</a>"
_ENTITY = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
_OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def _after_declaration(head: bytes) -> Callable[[bytes], bytes]:
    return lambda content: head + content.partition(b"?>")[2]


def _bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def _twice(path: Path, plain: Path) -> Path:
    rewritten(plain, path, lambda _, content: content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("word/DOCUMENT.xml", "<a/>")
    return path


def _many(path: Path, plain: Path) -> Path:
    rewritten(plain, path, lambda _, content: content)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(4001):
            archive.writestr(f"a/{number}", b"")
    return path


def _flipped(path: Path, plain: Path) -> Path:
    with zipfile.ZipFile(plain) as archive:
        entry = archive.getinfo("word/document.xml")
    content = bytearray(plain.read_bytes())
    for at in range(entry.header_offset + 60, entry.header_offset + 90):
        content[at] ^= 0xFF
    return _bytes(path, bytes(content))


def _flagged(path: Path, plain: Path) -> Path:
    content = bytearray(plain.read_bytes())
    at = 0
    while (at := content.find(b"PK\x01\x02", at)) >= 0:
        flags = struct.unpack_from("<H", content, at + 8)[0]
        struct.pack_into("<H", content, at + 8, flags | 1)
        at += 4
    return _bytes(path, bytes(content))


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("docx-absent", lambda path, _: path.with_name("none.docx")),
        ("docx-not-zip", lambda path, _: _bytes(path, b"hello")),
        ("docx-not-zip", lambda path, _: _bytes(path, b"")),
        ("docx-old-doc", lambda path, _: _bytes(path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000))),
        (
            "docx-encrypted",
            lambda path, _: _bytes(
                path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99_000) + "EncryptedPackage".encode("utf-16-le")
            ),
        ),
        ("docx-truncated", lambda path, plain: _bytes(path, plain.read_bytes()[:-500])),
        ("docx-not-word", lambda path, plain: rewritten(plain, path, lambda n, c: None if n == "_rels/.rels" else c)),
        ("docx-not-word", lambda path, plain: rewritten(plain, path, lambda n, c: None if "Types" in n else c)),
        ("docx-not-xml", lambda path, plain: rewritten(plain, path, body(lambda content: content[:-9]))),
        ("docx-not-xml", lambda path, plain: rewritten(plain, path, body(lambda _: b"\xff\xfeabc"))),
        (
            "docx-not-xml",
            lambda path, plain: rewritten(plain, path, body(_after_declaration(_UTF7))),
        ),
        ("docx-not-xml", lambda path, plain: rewritten(plain, path, body(lambda _: b"<a>" * 5000 + b"</a>" * 5000))),
        ("docx-doctype", lambda path, plain: rewritten(plain, path, body(_after_declaration(_ENTITY)))),
        ("docx-doctype", lambda path, plain: rewritten(plain, path, body(_after_declaration(_OUTSIDE)))),
        (
            "docx-doctype",
            lambda path, plain: rewritten(
                plain, path, body(lambda content: _after_declaration(_ENTITY)(content).decode().encode("utf-16"))
            ),
        ),
        ("docx-part-too-large", lambda path, plain: bomb(_bytes(path, plain.read_bytes()))),
        ("docx-part-too-large", lambda path, plain: rewritten(plain, path, body(lambda _: _MANY_TAGS))),
        ("docx-names-twice", _twice),
        ("docx-too-many-parts", _many),
        ("docx-damaged", _flipped),
        ("docx-encrypted", _flagged),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused(code: str, make: Callable[[Path, Path], Path], plain: Path, tmp_path: Path) -> None:
    with pytest.raises(UserMistake) as caught:
        check_form(make(tmp_path / "bad.docx", plain), "annex4-2025")
    assert [problem.code for problem in caught.value.problems] == [code]
    for language in ("zh", "en"):
        assert caught.value.text(language)


def test_a_bomb_takes_little_memory(plain: Path, tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    path.write_bytes(plain.read_bytes())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("word/media/a.png", "w") as part:
        for _ in range(257):
            part.write(bytes(1 << 20))
    program = (
        "import sys; from pathlib import Path; from reports.forms.check import check_form\n"
        "from profiles.problem import UserMistake\n"
        "try: check_form(Path(sys.argv[1]), 'annex4-2025')\n"
        "except UserMistake as mistake: print(mistake.problems[0].code)\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    root = str(Path(__file__).parents[3])
    said = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, cwd=root
    )
    code, kilobytes = said.stdout.split()
    assert code == "docx-part-too-large"
    assert int(kilobytes) < 300_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_octet_is_read_or_refused(data: st.DataObject, plain: Path, tmp_path: Path) -> None:
    content = bytearray(plain.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = _bytes(tmp_path / "fuzzed.docx", bytes(content))
    with suppress(UserMistake):
        check_form(path, "annex4-2025")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_markup_is_read_or_refused(data: st.DataObject, plain: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(plain) as archive:
        names = [name for name in archive.namelist() if name.endswith((".xml", ".rels"))]
        name = data.draw(st.sampled_from(names))
        content = archive.read(name)
    start, length = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, 200))
    spoilt = content[:start] + data.draw(st.binary(max_size=20)) + content[start + length :]
    path = rewritten(plain, tmp_path / "fuzzed.docx", lambda part, old: spoilt if part == name else old)
    with suppress(UserMistake):
        read_document(path)
