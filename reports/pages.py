"""What a Parquet file unpacks to, told by its pages, before anything is unpacked.

A footer says how large everything is, and may lie. So does no page: a reader makes room for as much as the page's own
header states. Some encodings write few bytes for long texts, however; those that a bundle has do not.
Imports nothing but the standard library. Source: the Apache Parquet format, ``parquet.thrift``, and Thrift's compact
protocol.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO
from typing import Any

MAX_FOOTER = (
    4 << 20
)  #: bytes; that of 50 million observations has less than half of it, and each may cost 300 in memory
_MAGIC = b"PAR1"
_HEADER = 64 << 10  #: bytes that the header of one page may have; it may quote four texts of 4 KiB
_NESTED = 8  #: structures in structures
_PLAIN, _PLAIN_DICTIONARY, _RLE, _RLE_DICTIONARY = 0, 2, 3, 8
_ENCODINGS = {_PLAIN, _PLAIN_DICTIONARY, _RLE, _RLE_DICTIONARY}
#: Of a ``PageHeader``: by its type, the field with what is particular to it, and where that has the encoding.
_KINDS = {0: (5, 2), 2: (7, 2), 3: (8, 4)}
_DICTIONARY = 2
_INT32 = 1 << 31

_Fields = dict[int, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a column chunk."""

    unpacked: int  #: bytes
    entries: int  #: of a dictionary; 0 if it is none


def refuse_large_footer(file: IO[bytes]) -> None:
    """Raise ``ValueError`` if the file does not end in a footer of a size that a bundle may have."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    file.seek(0)
    if len(tail) != 8 or tail[4:] != _MAGIC:
        raise ValueError("no Parquet file")
    if (length := int.from_bytes(tail[:4], "little")) > MAX_FOOTER:
        raise ValueError(f"too large: a footer of {length} bytes")


def pages(file: IO[bytes], start: int, length: int) -> Iterator[Page]:
    """The pages of one column chunk.

    Args:
        file: the Parquet file.
        start: where the first page begins, bytes.
        length: of the chunk, bytes.

    Raises:
        ValueError: if they do not fill the chunk, are malformed, or of an encoding that no bundle has.
    """
    at, end = start, start + length
    if start < len(_MAGIC) or length < 0:
        raise ValueError("a column outside of the file")
    while at < end:
        file.seek(at)
        header, used = _header(file.read(min(_HEADER, end - at)))
        unpacked, packed = (_number(header, field) for field in (2, 3))
        yield Page(unpacked, _entries(header))
        at += used + packed
    if at != end:
        raise ValueError("pages beyond their column")


def _entries(header: _Fields) -> int:
    """How many entries a dictionary has; sees to it that the page's encoding is a known one."""
    kind = _number(header, 1)
    field, encoding = _KINDS.get(kind, (0, 0))
    about = header.get(field)
    if not isinstance(about, dict) or len(header.keys() & {field for field, _ in _KINDS.values()}) != 1:
        raise ValueError("a page of no known kind")
    if (found := _number(about, encoding)) not in _ENCODINGS:
        raise ValueError(f"encoding {found}, which no bundle has")
    entries = _number(about, 1)
    return entries if kind == _DICTIONARY else 0


def _number(fields: _Fields, field: int) -> int:
    found = fields.get(field)
    if type(found) is not int or not 0 <= found < _INT32:
        raise ValueError("a page's header lacks a number")
    return found


def _header(data: bytes) -> tuple[_Fields, int]:
    reader = _Compact(data)
    try:
        return reader.structure(0), reader.at
    except IndexError:
        raise ValueError("a page's header is cut, or too large") from None


class _Compact:
    """Reads Thrift's compact protocol; what no header of a page has, such as a map, is malformed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def structure(self, depth: int) -> _Fields:
        """Fields by their number."""
        if depth > _NESTED:
            raise ValueError("a page's header is too deep")
        fields: _Fields = {}
        number = 0
        while kind := self._byte():
            number = number + (kind >> 4) if kind >> 4 else self._signed()
            if number in fields:  # readers may take the one or the other
                raise ValueError("a page's header says something twice")
            fields[number] = self._value(kind & 0x0F, depth)
        return fields

    def _value(self, kind: int, depth: int) -> object:
        match kind:
            case 1 | 2:
                return kind == 1
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                return self._signed()
            case 7:
                self._skip(8)
            case 8:
                self._skip(self._unsigned())
            case 12:
                return self.structure(depth + 1)
            case _:
                raise ValueError("a page's header is malformed")
        return None

    def _byte(self) -> int:
        byte = self._data[self.at]
        self.at += 1
        return byte

    def _unsigned(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ValueError("a page's header is malformed")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)

    def _skip(self, length: int) -> None:
        self.at += length
        if self.at > len(self._data):
            raise IndexError
