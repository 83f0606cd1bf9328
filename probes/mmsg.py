"""Many packets in one system call: sendmmsg(2) and recvmmsg(2) on a socket that the gate opened.

The only module of :mod:`probes` that calls into the C library, and these two functions are all it calls. Buffers are
laid out once in fixed slots, so that :func:`struct.iter_unpack` can walk them without an object per packet. ctypes
releases the interpreter lock meanwhile.
"""

from __future__ import annotations

import ctypes
import struct
from ctypes import c_int
from ctypes import c_uint
from ctypes import c_void_p
from errno import EINTR

_libc = ctypes.CDLL(None, use_errno=True)
MSG_DONTWAIT = 0x40
_WIDE = struct.calcsize("P") == 8

_IOVEC = struct.Struct("@PN")  #: base, length
#: struct mmsghdr: name, its length, iovecs, their number, control data, its length, flags; length of the message.
_MMSGHDR = struct.Struct("@PI4xPNPNi4xI4x" if _WIDE else "@PIPNPNiI")
#: What the kernel reports in an mmsghdr: (bytes of control data, bytes of message).
LENGTHS = struct.Struct("@40xN8xI4x" if _WIDE else "@20xN4xI")


class Batch:
    """``slots`` fixed slots for messages, names and control data."""

    def __init__(self, slots: int, message_bytes: int, name_bytes: int, control_bytes: int = 0) -> None:
        self.slots = slots
        sizes = (message_bytes, name_bytes, control_bytes, _IOVEC.size, _MMSGHDR.size)
        buffers = [ctypes.create_string_buffer(max(1, slots * size)) for size in sizes]
        message_at, name_at, control_at, iovec_at, self._at = (ctypes.addressof(buffer) for buffer in buffers)
        views = [memoryview(buffer).cast("B") for buffer in buffers]  # these keep the buffers alive
        self.messages, self.names, self.controls, self._iovecs, self.headers = views
        self._iovecs[:] = b"".join(
            [_IOVEC.pack(message_at + index * message_bytes, message_bytes) for index in range(slots)]
        )
        self._fresh = b"".join(
            [
                _MMSGHDR.pack(
                    name_at + index * name_bytes, name_bytes, iovec_at + index * _IOVEC.size, 1,
                    control_at + index * control_bytes if control_bytes else 0, control_bytes, 0, 0,
                )
                for index in range(slots)
            ]
        )  # fmt: skip
        self.headers[:] = self._fresh

    def send(self, fd: int, first: int, count: int) -> tuple[int, int]:
        """Send slots ``first`` to ``first + count - 1`` without waiting.

        Returns:
            How many were sent, and the errno that kept the next one from being sent (0 if all were).
        """
        sent = 0
        while sent < count:
            start = self._at + (first + sent) * _MMSGHDR.size
            done = _libc.sendmmsg(fd, c_void_p(start), c_uint(count - sent), MSG_DONTWAIT)
            if done < 0:
                error = ctypes.get_errno()
                if error != EINTR:
                    return sent, error
            else:
                sent += done
        return sent, 0

    def receive(self, fd: int, flags: int = 0) -> int:
        """Fill slots from the front without waiting; how many: 0 if there was nothing, or an error was pending."""
        self.headers[:] = self._fresh
        done: int = _libc.recvmmsg(fd, c_void_p(self._at), c_uint(self.slots), c_int(flags | MSG_DONTWAIT), None)
        return max(done, 0)
