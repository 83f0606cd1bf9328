"""Many datagrams in one call, over loopback."""

from __future__ import annotations

import errno
import socket
import struct

from probes.mmsg import LENGTHS
from probes.mmsg import Batch


def test_what_is_sent_in_a_batch_arrives_as_a_batch() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        name = struct.pack("=H2s4s8x", socket.AF_INET, receiver.getsockname()[1].to_bytes(2), b"\x7f\0\0\1")
        sending, receiving = Batch(16, 8, 16), Batch(12, 8, 16, 64)
        sending.messages[:] = b"".join(struct.pack("=Q", index) for index in range(16))
        sending.names[:] = name * 16
        assert sending.send(sender.fileno(), 2, 14) == (14, 0)
        assert [receiving.receive(receiver.fileno()) for _ in range(3)] == [12, 2, 0]
        assert struct.unpack_from("=2Q", receiving.messages) == (14, 15)


def test_an_error_stops_at_the_packet_that_met_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        batch = Batch(3, 8, 16)
        good = struct.pack("=H2s4s8x", socket.AF_INET, b"\0\x09", b"\x7f\0\0\1")
        broadcast = struct.pack("=H2s4s8x", socket.AF_INET, b"\0\x09", b"\xff\xff\xff\xff")
        batch.names[:] = good + broadcast + good
        sent, error = batch.send(sender.fileno(), 0, 3)
        assert sent == 1
        assert error in (errno.EACCES, errno.ENETUNREACH)


def test_lengths_are_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"abc", receiver.getsockname())
        batch = Batch(4, 8, 16, 64)
        assert batch.receive(receiver.fileno()) == 1
        assert LENGTHS.unpack_from(batch.headers) == (0, 3)
