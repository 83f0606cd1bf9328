"""Pictures in a document: their bytes, their pixels as the header states them, and what their metadata tell."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

_HEAD = 2 << 20  #: bytes from the start in which headers and metadata are looked for
_TEXT_LIMIT = 1 << 18  #: bytes of metadata that are looked at
_GPS = 0x8825  #: tag of the position in EXIF
_STRINGS = re.compile(rb"[\x20-\x7e\x80-\xff]{4,}")
_WIDE = re.compile(r"[\x20-\x7e\u4e00-\u9fff]{4,}|[\u4e00-\u9fff]{2,}")
_THUMBNAIL = re.compile(rb"\xff\xd8\xff.*?\xff\xd9", re.DOTALL)
#: Chunks of a PNG that only say how it looks.
_PICTURE = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD hIST pHYs tIME cICP acTL fcTL fdAT".split()
)


@dataclass(frozen=True, slots=True)
class Medium:
    """One picture file inside the document."""

    part: str
    sha256: str
    size: int  #: bytes
    format: str  #: such as ``PNG``; ``?`` if it is not known
    width: int | None  #: pixels, as its header states; ``None`` where there are none, as in EMF
    height: int | None
    metadata: tuple[str, ...]  #: texts in its metadata
    position: bool  #: whether its metadata state where it was taken

    @property
    def pixels(self) -> int | None:
        """Width times height."""
        return None if self.width is None or self.height is None else self.width * self.height


def measure(part: str, blocks: Iterable[bytes]) -> Medium:
    """Look at a picture, read once as a stream."""
    digest, size, head = hashlib.sha256(), 0, bytearray()
    tail = b""
    for block in blocks:
        digest.update(block)
        size += len(block)
        if len(head) < _HEAD:
            head += block[: _HEAD - len(head)]
        tail = (tail + block)[-_TEXT_LIMIT:]
    known = bytes(head)
    format, width, height = _dimensions(known, tail, size)
    told = list(_metadata(known, tail, size))
    texts = tuple(text for blob in told for text in _texts(blob))
    return Medium(part, digest.hexdigest(), size, format, width, height, texts, any(map(_has_position, told)))


def _dimensions(head: bytes, tail: bytes, size: int) -> tuple[str, int | None, int | None]:
    with suppress(struct.error, IndexError):
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return "PNG", *struct.unpack(">II", head[16:24])
        if head.startswith(b"\xff\xd8\xff"):
            return "JPEG", *_jpeg(head)
        if head[:4] in (b"II*\0", b"MM\0*"):
            return "TIFF", *_tiff(head, tail, size)
        if head.startswith(b"BM"):
            width, height = struct.unpack("<ii", head[18:26])
            return "BMP", abs(width), abs(height)
        if head.startswith((b"GIF87a", b"GIF89a")):
            return "GIF", *struct.unpack("<HH", head[6:10])
        if head[40:44] == b" EMF":
            return "EMF", None, None
        if head.startswith(b"\xd7\xcd\xc6\x9a"):
            return "WMF", None, None
        if b"<svg" in head[:4096]:
            return "SVG", None, None
    return "?", None, None


def _jpeg(head: bytes) -> tuple[int | None, int | None]:
    for marker, body in _segments(head):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", body[1:5])
            return width, height
    return None, None


def _segments(head: bytes) -> Iterator[tuple[int, bytes]]:
    """Segments of a JPEG up to its picture data."""
    at = 2
    while at + 4 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:
            return
        length = struct.unpack(">H", head[at + 2 : at + 4])[0]
        yield marker, head[at + 4 : at + 2 + length]
        at += 2 + max(2, length)


def _tiff(head: bytes, tail: bytes, size: int) -> tuple[int | None, int | None]:
    found = dict(_tags(head, tail, size))
    return found.get(256), found.get(257)


def _tags(head: bytes, tail: bytes = b"", size: int = 0) -> Iterator[tuple[int, int]]:
    """Tags of the first directory of a TIFF, which stands near its start or its end, with short and long values."""
    order = "<" if head[:2] == b"II" else ">"
    at = struct.unpack(f"{order}I", head[4:8])[0]
    if at >= len(head) and at >= size - len(tail):
        head, at = tail, at - (size - len(tail))
    number = struct.unpack(f"{order}H", head[at : at + 2])[0]
    for index in range(number):
        entry = head[at + 2 + 12 * index : at + 14 + 12 * index]
        tag, kind = struct.unpack(f"{order}HH", entry[:4])
        if kind in (3, 4):
            yield tag, struct.unpack(f"{order}{'H' if kind == 3 else 'I'}", entry[8 : 10 if kind == 3 else 12])[0]


def _metadata(head: bytes, tail: bytes, size: int) -> Iterator[bytes]:
    if head.startswith(b"\x89PNG"):
        yield from _chunks(head)
        if size > len(head):  # metadata may also stand behind the picture data
            yield from (tail[found.start() :] for found in re.finditer(rb"(tEXt|zTXt|iTXt|eXIf)", tail))
        yield _behind(tail, b"IEND\xaeB`\x82")
    elif head.startswith(b"\xff\xd8\xff"):
        for marker, body in _segments(head):
            if marker == 0xFE or (0xE1 <= marker <= 0xEF and not body.startswith(b"ICC_PROFILE\0")):
                yield _THUMBNAIL.sub(b"", body[:_TEXT_LIMIT])
        yield _behind(tail, b"\xff\xd9")
    elif head[:4] in (b"II*\0", b"MM\0*"):
        yield head[:_TEXT_LIMIT]
        yield tail
    elif head.startswith(b"GIF8"):
        yield from (head[found.end() :][:256] for found in re.finditer(rb"!\xfe", head))
        yield _behind(tail, b"\0;")
    elif b"<svg" in head[:4096] or head[40:44] == b" EMF" or head.startswith(b"\xd7\xcd\xc6\x9a"):
        yield head


def _behind(tail: bytes, end: bytes) -> bytes:
    """What was added behind a picture's end, where no program looks."""
    return tail[at + len(end) :] if (at := tail.rfind(end)) >= 0 else b""


def _chunks(head: bytes) -> Iterator[bytes]:
    """All chunks of a PNG but those of the picture itself: metadata, and what only its author knows."""
    at = 8
    while at + 8 <= len(head):
        length, kind = struct.unpack(">I4s", head[at : at + 8])
        body = head[at + 8 : at + 8 + min(length, _TEXT_LIMIT)]
        if kind in (b"zTXt", b"iTXt"):
            yield body + b"\0" + _inflated(body)
        elif kind not in _PICTURE:
            yield body
        at += 12 + length


def _inflated(body: bytes) -> bytes:
    """The text of a compressed chunk, wherever in it that begins."""
    at = body.find(b"\x78", body.find(b"\0"))
    with suppress(zlib.error):
        return zlib.decompressobj().decompress(body[at:], _TEXT_LIMIT) if at >= 0 else b""
    return b""


def _texts(blob: bytes) -> Iterator[str]:
    for run in _STRINGS.findall(blob):
        yield run.decode("utf-8", "replace")
        with suppress(UnicodeDecodeError):  # Windows writes Chinese names so
            yield run.decode("gb18030")
    for start in (0, 1):  # cameras and Windows also write UTF-16, at any place
        even = blob[start : start + (len(blob) - start) // 2 * 2]
        for encoding in ("utf-16-le", "utf-16-be"):
            yield from _WIDE.findall(even.decode(encoding, "replace"))


def _has_position(blob: bytes) -> bool:
    at = blob.find(b"Exif\0\0")
    exif = blob[at + 6 :] if at >= 0 else blob
    if exif[:4] in (b"II*\0", b"MM\0*"):
        with suppress(struct.error):
            return any(tag == _GPS for tag, _ in _tags(exif))
    return b"GPSLatitude" in blob
