"""ICMP and ICMPv6 echo on the wire (RFC 792, RFC 4443): questions made, and answers matched to them. Pure.

A question is recognised in its answer by four things: identifier, sequence number, the address that answers, and a
cookie in the first 8 bytes of the payload. The cookie is the question's serial number under a random key of 64 bits, so
one comparison finds the question, and who did not see it cannot make up an answer. An ICMP error is believed only if
the packet that it quotes is a question of ours, sent to the address it names: by the cookie, or, where a router quotes
no more than the 8 bytes that RFC 792 demands, by identifier, sequence number and checksum, which covers the cookie.
"""

from __future__ import annotations

import secrets
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from probes.echo_port import CONTROL_BYTES
from probes.echo_port import MESSAGE_BYTES
from probes.mmsg import LENGTHS
from probes.mmsg import Batch

COOKIE_BYTES = 8
#: Bits of a decoded cookie that are known beforehand: a serial number has 32, its low 16 are the sequence number.
PROOF = 0xFFFF_FFFF_0000_FFFF
SO_TIMESTAMPING = 37

#: Stamp (SCM_TIMESTAMPING: what it is, seconds, nanoseconds) and what may follow it (hop limit). Neighbouring fields
#: that are only compared are read as one number.
_CONTROL = struct.Struct(f"@8xQll{struct.calcsize('4l')}x16xi4x{CONTROL_BYTES - 88}x")
_STAMPED = int.from_bytes(struct.pack("@ii", 1, SO_TIMESTAMPING), sys.byteorder)  #: SOL_SOCKET and the type
_QUOTED_HEADER = struct.Struct("!BBHHH")
#: ICMP types that say why a packet was not delivered: unreachable, time exceeded, parameter problem, too big.
ERROR_TYPES = {4: frozenset({3, 11, 12}), 6: frozenset({1, 2, 3, 4})}


@dataclass(frozen=True, slots=True)
class Answer:
    """Anything that came back for a question of ours."""

    serial: int  #: of the question; only its low 16 bits where ``partial``
    source: bytes  #: address that answered, packed
    destination: bytes  #: address that the question went to, as the answer tells it
    rx_ns: int  #: kernel's receive stamp, UTC; 0 if there is none
    hop_limit: int  #: TTL or hop limit of the answer; -1 where unknown
    partial: bool = False  #: the serial is known by its sequence number only
    checksum: int = -1  #: of the quoted question, where the cookie was not quoted
    icmp_type: int = -1  #: of an ICMP error
    icmp_code: int = -1
    corrupt: bool = False  #: an echo reply that does not carry back what was sent


#: A good echo reply: serial number, source, receive stamp and hop limit. Nearly all traffic, so a bare tuple.
Reply = tuple[int, bytes, int, int]


class Codec:
    """Makes the questions of one sweep and reads their answers."""

    def __init__(self, version: int, ident: int, payload_bytes: int, *, raw: bool, key: int | None = None) -> None:
        """``raw``: IPv4 messages begin with their IP header. ``payload_bytes``: at least :data:`COOKIE_BYTES`."""
        self.version = version
        self.ident = ident
        self.header = raw and version == 4
        self._key = secrets.randbits(64) if key is None else key
        self._filler = bytes(0x20 + index % 0x5F for index in range(payload_bytes - COOKIE_BYTES))
        self._request, self._reply = (8, 0) if version == 4 else (128, 129)
        self._packet = struct.Struct(f"!BBHHHQ{len(self._filler)}s")
        self.size = self._packet.size
        padded = self._filler + b"\0" * (len(self._filler) % 2)
        self._base_sum = (self._request << 8) + ident + int.from_bytes(padded)
        lead = "B7xB3x4s4x" if self.header else ""
        self._row = struct.Struct(f"!{lead}H2xHHQ{len(self._filler)}s{MESSAGE_BYTES - self.size - 20 * self.header}x")
        self._name = struct.Struct("=4x4s8x" if version == 4 else "=8x16s4x")

    def question(self, serial: int) -> bytes:
        """The ICMP message of question ``serial``; the kernel fills in the checksum of ICMPv6."""
        cookie = self._key ^ serial
        checksum = self.checksum(serial) if self.version == 4 else 0
        return self._packet.pack(self._request, 0, checksum, self.ident, serial & 0xFFFF, cookie, self._filler)

    def questions(self, first: int, count: int) -> list[bytes]:
        """The messages of ``count`` questions from serial number ``first``."""
        key, pack = self._key, self._packet.pack
        request, ident, filler = self._request, self.ident, self._filler
        if self.version == 6:
            return [
                pack(request, 0, 0, ident, serial & 0xFFFF, key ^ serial, filler)
                for serial in range(first, first + count)
            ]
        if first >> 16 != first + count - 1 >> 16:
            return [self.question(serial) for serial in range(first, first + count)]
        # As in checksum(), but with the words apart that all of these have in common: small numbers add faster.
        low, common = key & 0xFFFF, (self._base_sum + ((key ^ first) >> 16)) % 0xFFFF
        high, sequences = (key ^ first) >> 16 << 16, range(first & 0xFFFF, (first & 0xFFFF) + count)
        return [
            pack(request, 0, -(common + sequence + (low ^ sequence)) % 0xFFFF, ident, sequence, high | low ^ sequence,
                 filler)
            for sequence in sequences
        ]  # fmt: skip

    def checksum(self, serial: int) -> int:
        """Checksum (RFC 1071) of question ``serial``: 2**16 is 1 modulo 2**16 - 1, so a remainder adds words."""
        return -(self._base_sum + (serial & 0xFFFF) + (self._key ^ serial)) % 0xFFFF

    def answers(self, batch: Batch, count: int) -> list[Reply | Answer]:
        """What the first ``count`` slots of ``batch`` hold for us.

        What is neither a good echo reply nor a reason why there is none is left out.
        """
        rows = self._row.iter_unpack(batch.messages[: count * MESSAGE_BYTES])
        lengths = LENGTHS.iter_unpack(batch.headers[: count * LENGTHS.size])
        names = self._name.iter_unpack(batch.names[: count * self._name.size])
        controls = _CONTROL.iter_unpack(batch.controls[: count * CONTROL_BYTES])
        wanted = (self._reply << 8, self.ident, self._filler, self.size + 20 * self.header)
        found: list[Reply | Answer] = []
        index = 0
        for row, (control_length, length), control in zip(rows, lengths, controls, strict=True):
            what, seconds, nanoseconds, second_value = control
            if self.header:
                first, hop_limit, source, kind, ident, sequence, cookie, filler = row
            else:
                kind, ident, sequence, cookie, filler = row
                (source,) = next(names)
                first, hop_limit = 0x45, second_value if control_length >= 84 else -1
            rx_ns = seconds * 1_000_000_000 + nanoseconds if what == _STAMPED and control_length >= 64 else 0
            serial = cookie ^ self._key
            if first == 0x45 and (kind, ident, filler, length) == wanted and serial & PROOF == sequence:
                found.append((serial, source, rx_ns, hop_limit))
            else:
                (source,) = self._name.unpack_from(batch.names, index // MESSAGE_BYTES * self._name.size)
                message = bytes(batch.messages[index : index + min(length, MESSAGE_BYTES)])
                answer = self.read(message, source, rx_ns, hop_limit)
                if answer is not None:
                    found.append(answer)
            index += MESSAGE_BYTES
        return found

    def read(self, message: bytes, source: bytes, rx_ns: int = 0, hop_limit: int = -1) -> Answer | None:
        """One message of whatever content: an answer to a question of ours, or nothing. Never raises."""
        if self.header:
            start = (message[0] & 15) * 4 if message else 0
            if start < 20 or message[0] >> 4 != 4:
                return None
            message = message[start:]
        if len(message) < 8:
            return None
        kind, code, _, ident, sequence = _QUOTED_HEADER.unpack_from(message)
        if kind in ERROR_TYPES[self.version]:
            return self._error(message[8:], source, kind, code, rx_ns, hop_limit)
        if kind != self._reply or ident != self.ident:
            return None
        serial = int.from_bytes(message[8:16]) ^ self._key
        whole = code == 0 and len(message) == self.size and message[16:] == self._filler and serial & PROOF == sequence
        if whole:
            return Answer(serial, source, source, rx_ns, hop_limit)
        return Answer(sequence, source, source, rx_ns, hop_limit, partial=True, corrupt=True)

    def queued_errors(self, batch: Batch, count: int) -> Iterator[Answer]:
        """ICMP errors that the kernel queued for a ping socket, each with the question that caused it."""
        for index, (control_length, length) in enumerate(LENGTHS.iter_unpack(batch.headers[: count * LENGTHS.size])):
            if not length:
                continue  # a transmit stamp carries no data
            start = index * MESSAGE_BYTES
            inner = bytes(batch.messages[start : start + min(length, MESSAGE_BYTES)])
            control = bytes(batch.controls[index * CONTROL_BYTES :][: min(control_length, CONTROL_BYTES)])
            found = extended_error(control)
            if found is not None:
                kind, code, offender = found
                (destination,) = self._name.unpack_from(batch.names, index * self._name.size)
                answer = self.quoted(inner, offender, destination, kind, code)
                if answer is not None:
                    yield answer

    def _error(
        self, quoted: bytes, source: bytes, kind: int, code: int, rx_ns: int = 0, hop_limit: int = -1
    ) -> Answer | None:
        """An ICMP error, if the packet it quotes is a question of ours."""
        if self.version == 4:
            start = (quoted[0] & 15) * 4 if quoted else 0
            ours = len(quoted) >= 20 and quoted[0] >> 4 == 4 and start >= 20 and quoted[9] == 1
            destination = quoted[16:20]
        else:
            start = 40
            ours = len(quoted) >= 40 and quoted[0] >> 4 == 6 and quoted[6] == 58
            destination = quoted[24:40]
        return self.quoted(quoted[start:], source, destination, kind, code, rx_ns, hop_limit) if ours else None

    def quoted(
        self, inner: bytes, source: bytes, destination: bytes, kind: int, code: int, rx_ns: int = 0, hop_limit: int = -1
    ) -> Answer | None:
        """An ICMP error that quotes ``inner``, the ICMP message of a packet to ``destination``."""
        if len(inner) < 8:
            return None
        request, zero, checksum, ident, sequence = _QUOTED_HEADER.unpack_from(inner)
        if (request, zero, ident) != (self._request, 0, self.ident):
            return None
        cookie = inner[8:16]
        if len(cookie) == COOKIE_BYTES:
            serial = int.from_bytes(cookie) ^ self._key
            if serial & PROOF != sequence:
                return None
            return Answer(serial, source, destination, rx_ns, hop_limit, icmp_type=kind, icmp_code=code)
        if self.version == 6:
            return None  # RFC 4443 section 3: as much of the packet as fits is quoted
        return Answer(
            sequence, source, destination, rx_ns, hop_limit,
            partial=True, checksum=checksum, icmp_type=kind, icmp_code=code,
        )  # fmt: skip


#: Transmit stamp: as above, then an extended error (errno, origin, type and code; data: the number of the packet).
_STAMP = struct.Struct(f"@8xQll{struct.calcsize('4l')}x16xQ4xI{CONTROL_BYTES - 96}x")
_ENOMSG, _ORIGIN_TIMESTAMPING = 42, 4
_SENT = int.from_bytes(struct.pack("@IBBBx", _ENOMSG, _ORIGIN_TIMESTAMPING, 0, 0), sys.byteorder)


def stamps(batch: Batch, count: int) -> list[tuple[int, int]]:
    """Transmit stamps among the first ``count`` slots of an error queue: (the kernel's number, UTC nanoseconds)."""
    lengths = LENGTHS.iter_unpack(batch.headers[: count * LENGTHS.size])
    controls = _STAMP.iter_unpack(batch.controls[: count * CONTROL_BYTES])
    return [
        (number, seconds * 1_000_000_000 + nanoseconds)
        for (control_length, _), (what, seconds, nanoseconds, why, number) in zip(lengths, controls, strict=True)
        if what == _STAMPED and why == _SENT and control_length >= 96
    ]


_IP_RECVERR = frozenset({(0, 11), (41, 25)})  #: (level, type) of an extended error, IPv4 and IPv6
_ORIGINS_ICMP = frozenset({2, 3})


def extended_error(control: bytes) -> tuple[int, int, bytes] | None:
    """(ICMP type, code, address of the node that sent it) of the ICMP error in control data; nothing without one."""
    header = struct.Struct("@Nii")
    start = 0
    while start + header.size <= len(control):
        length, level, kind = header.unpack_from(control, start)
        if length < header.size or start + length > len(control):
            return None
        data = control[start + header.size : start + length]
        if (level, kind) in _IP_RECVERR and len(data) >= 32 and data[4] in _ORIGINS_ICMP:
            return data[5], data[6], data[20:24] if level == 0 else data[24:40]
        start += (length + 7) & ~7
    return None
