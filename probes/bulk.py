"""Many packets in one system call: sendmmsg(2) and recvmmsg(2) on a socket that the gate opened.

The only module of :mod:`probes` that calls into the C library, and these two functions are all it calls. Buffers are
laid out once in fixed slots, so that :func:`struct.iter_unpack` can walk them without an object per packet. ctypes
releases the interpreter lock meanwhile.
"""

from __future__ import annotations

import ctypes
import struct
from ctypes import byref
from ctypes import c_int
from ctypes import c_size_t
from ctypes import c_uint
from ctypes import c_void_p
from errno import EINTR

_libc = ctypes.CDLL(None, use_errno=True)
MSG_DONTWAIT = 0x40

#: What the kernel reports in an mmsghdr: (bytes of name, bytes of control data, flags, bytes of message).
LENGTHS = struct.Struct("@8xI4x8x8x8xNi4xI4x" if struct.calcsize("P") == 8 else "@4xI4x4x4xNiI")


class _Iovec(ctypes.Structure):
    _fields_ = (("base", c_void_p), ("length", c_size_t))


class _Msghdr(ctypes.Structure):
    _fields_ = (
        ("name", c_void_p),
        ("name_length", c_uint),
        ("iov", ctypes.POINTER(_Iovec)),
        ("iov_length", c_size_t),
        ("control", c_void_p),
        ("control_length", c_size_t),
        ("flags", c_int),
    )


class _Mmsghdr(ctypes.Structure):
    _fields_ = (("header", _Msghdr), ("length", c_uint))


class Batch:
    """``slots`` fixed slots for messages, names and control data."""

    def __init__(self, slots: int, message_bytes: int, name_bytes: int, control_bytes: int = 0) -> None:
        self.slots = slots
        self._messages = ctypes.create_string_buffer(slots * message_bytes)
        self._names = ctypes.create_string_buffer(slots * name_bytes)
        self._controls = ctypes.create_string_buffer(max(1, slots * control_bytes))
        self.messages = memoryview(self._messages).cast("B")
        self.names = memoryview(self._names).cast("B")
        self.controls = memoryview(self._controls).cast("B")
        self._iovecs = (_Iovec * slots)()
        self._headers = (_Mmsghdr * slots)()
        for index, (iovec, message) in enumerate(zip(self._iovecs, self._headers, strict=True)):
            iovec.base = ctypes.addressof(self._messages) + index * message_bytes
            iovec.length = message_bytes
            header = message.header
            header.name = ctypes.addressof(self._names) + index * name_bytes
            header.name_length = name_bytes
            header.iov = ctypes.pointer(iovec)
            header.iov_length = 1
            if control_bytes:
                header.control = ctypes.addressof(self._controls) + index * control_bytes
                header.control_length = control_bytes
        self._fresh = bytes(self._headers)
        self.headers = memoryview(self._headers).cast("B")

    def send(self, fd: int, first: int, count: int) -> tuple[int, int]:
        """Send slots ``first`` to ``first + count - 1`` without waiting.

        Returns:
            How many were sent, and the errno that kept the next one from being sent (0 if all were).
        """
        sent = 0
        while sent < count:
            start = ctypes.addressof(self._headers) + (first + sent) * ctypes.sizeof(_Mmsghdr)
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
        done: int = _libc.recvmmsg(fd, byref(self._headers), c_uint(self.slots), c_int(flags | MSG_DONTWAIT), None)
        return max(done, 0)
