"""Picture files as large as a form asks for, by less compression: no pixel is changed, nothing is added."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR = 2
_MARGIN = 4096  # bytes, for the file's own structure


def heavy_png(png: bytes, least: int) -> bytes:
    """The picture ``png`` as a file of at least ``least`` bytes and little more, without any metadata.

    The first rows are stored as they are, so many that they alone reach the size; the others are compressed. A
    picture whose rows are not that large altogether is stored whole, and stays below.
    """
    from PIL import Image

    with Image.open(BytesIO(png)) as opened:
        image = opened.convert("RGB")
    width, height = image.size
    pixels, stride = image.tobytes(), width * 3
    rows = b"".join(b"\0" + pixels[at : at + stride] for at in range(0, len(pixels), stride))
    head = struct.pack(">IIBBBBB", width, height, 8, _TRUE_COLOUR, 0, 0, 0)
    data = _deflated(rows, least - _MARGIN if least else 0)
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _deflated(content: bytes, stored: int) -> bytes:
    """A zlib stream (RFC 1950) of two parts joined at a full flush: ``stored`` bytes as they are, the rest packed."""
    stored = min(len(content), stored + _MARGIN)
    plain = zlib.compressobj(0, zlib.DEFLATED, -15)
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = plain.compress(content[:stored]) + plain.flush(zlib.Z_FULL_FLUSH)
    rest = packed.compress(content[stored:]) + packed.flush(zlib.Z_FINISH)
    return b"\x78\x01" + first + rest + struct.pack(">I", zlib.adler32(content))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
