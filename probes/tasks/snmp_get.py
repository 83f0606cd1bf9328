"""SNMP GET of a list of objects from one agent, by pysnmp, v2c or v3. A task (see :mod:`probes.tasks`).

One engine, numeric OIDs, no MIBs. Objects are asked for in chunks; a chunk that is too big for the agent is halved.
pysnmp says nothing of datagrams that it cannot make sense of, so every datagram is also looked at here: silence,
garbage, an answer to another request and an answer that came late are four different things.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from pysnmp.carrier.asyncio.dgram.base import DgramAsyncioProtocol
from pysnmp.hlapi.v3arch.asyncio import CommunityData
from pysnmp.hlapi.v3arch.asyncio import ContextData
from pysnmp.hlapi.v3arch.asyncio import ObjectIdentity
from pysnmp.hlapi.v3arch.asyncio import ObjectType
from pysnmp.hlapi.v3arch.asyncio import SnmpEngine
from pysnmp.hlapi.v3arch.asyncio import Udp6TransportTarget
from pysnmp.hlapi.v3arch.asyncio import UdpTransportTarget
from pysnmp.hlapi.v3arch.asyncio import UsmUserData
from pysnmp.hlapi.v3arch.asyncio import get_cmd
from pysnmp.hlapi.v3arch.asyncio import usm3DESEDEPrivProtocol
from pysnmp.hlapi.v3arch.asyncio import usmAesCfb128Protocol
from pysnmp.hlapi.v3arch.asyncio import usmAesCfb192Protocol
from pysnmp.hlapi.v3arch.asyncio import usmAesCfb256Protocol
from pysnmp.hlapi.v3arch.asyncio import usmDESPrivProtocol
from pysnmp.hlapi.v3arch.asyncio import usmHMAC128SHA224AuthProtocol
from pysnmp.hlapi.v3arch.asyncio import usmHMAC192SHA256AuthProtocol
from pysnmp.hlapi.v3arch.asyncio import usmHMAC256SHA384AuthProtocol
from pysnmp.hlapi.v3arch.asyncio import usmHMAC384SHA512AuthProtocol
from pysnmp.hlapi.v3arch.asyncio import usmHMACMD5AuthProtocol
from pysnmp.hlapi.v3arch.asyncio import usmHMACSHAAuthProtocol
from pysnmp.hlapi.v3arch.asyncio import usmNoAuthProtocol
from pysnmp.hlapi.v3arch.asyncio import usmNoPrivProtocol
from pysnmp.proto import errind
from pysnmp.proto.rfc1905 import EndOfMibView
from pysnmp.proto.rfc1905 import NoSuchInstance
from pysnmp.proto.rfc1905 import NoSuchObject
from pysnmp.proto.rfc1905 import UnSpecified

from probes.tasks.snmp_message import message_id

#: Names of protocols as people write them; RFC 3414, RFC 7860, RFC 3826.
AUTHENTICATION = {
    "MD5": usmHMACMD5AuthProtocol,
    "SHA": usmHMACSHAAuthProtocol,
    "SHA-1": usmHMACSHAAuthProtocol,
    "SHA-224": usmHMAC128SHA224AuthProtocol,
    "SHA-256": usmHMAC192SHA256AuthProtocol,
    "SHA-384": usmHMAC256SHA384AuthProtocol,
    "SHA-512": usmHMAC384SHA512AuthProtocol,
}
PRIVACY = {
    "DES": usmDESPrivProtocol,
    "3DES": usm3DESEDEPrivProtocol,
    "AES": usmAesCfb128Protocol,
    "AES-128": usmAesCfb128Protocol,
    "AES-192": usmAesCfb192Protocol,
    "AES-256": usmAesCfb256Protocol,
}
#: What pysnmp says when an agent refuses credentials (RFC 3414 section 3.2), or we cannot read what it says with them.
_DENIED = (
    errind.UnknownUserName,
    errind.UnknownSecurityName,
    errind.UnsupportedSecurityLevel,
    errind.WrongDigest,
    errind.AuthenticationFailure,
    errind.AuthenticationError,
    errind.DecryptionError,
    errind.UnknownCommunityName,
)
_DENIED_STATUS = frozenset({6, 16})  # noAccess, authorizationError: RFC 3416 section 3
_TOO_BIG, _NO_SUCH_NAME = 1, 2
_MISSING = {NoSuchObject: "no-such-object", NoSuchInstance: "no-such-instance", EndOfMibView: "no-such-instance"}
_WITNESSED = 64  #: datagrams remembered


def perform(request: dict[str, Any]) -> dict[str, Any]:
    """Ask for ``oids`` at ``address`` and ``port`` with ``credentials``.

    Also in the request: ``chunk`` (objects in one GET), ``requests`` (GETs at most), ``timeout_s`` and ``retries`` of
    each, ``spacing_s`` (least time between two of them).

    Returns:
        ``values``: by OID, an integer or a text with ``type``, or ``missing``; ``error``: why the other OIDs have none;
        ``requests``: how many GETs were sent.
    """
    return asyncio.run(_Client(request).run())


class _Failure(Exception):
    """Why nothing more is asked."""

    def __init__(self, error: str, reason: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.reason = reason


class _Witness:
    """Looks at the datagrams that pysnmp sends and gets."""

    def __init__(self, address: str) -> None:
        self._packed = _packed(address)
        self._sent: deque[tuple[int, int]] = deque(maxlen=_WITNESSED)
        self.answered = 0  #: answers to something that was asked
        self.foreign = 0  #: sound messages that answer nothing that was asked
        self.garbage = 0  #: all else
        original_send, original_received = DgramAsyncioProtocol.send_message, DgramAsyncioProtocol.datagram_received

        def send(port: DgramAsyncioProtocol, message: bytes, address: Any) -> None:  # noqa: ANN401 - pysnmp's
            if (id := message_id(message)) is not None:
                self._sent.append(id)
            original_send(port, message, address)

        def received(port: DgramAsyncioProtocol, datagram: bytes, address: Any) -> None:  # noqa: ANN401 - pysnmp's
            if _packed(address[0]) != self._packed:
                return
            id = message_id(datagram)
            self.answered += id in self._sent
            self.garbage += id is None
            self.foreign += id is not None and id not in self._sent
            original_received(port, datagram, address)

        DgramAsyncioProtocol.send_message = send
        DgramAsyncioProtocol.datagram_received = received


class _Client:
    """One agent."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._request = request
        self._values: dict[str, dict[str, Any]] = {}
        self._sent = 0
        self._next_s = 0.0
        self._witness = _Witness(request["address"])

    async def run(self) -> dict[str, Any]:
        self._engine = SnmpEngine()
        error = {}
        try:
            self._credentials = _credentials(self._request["credentials"])
            kind = Udp6TransportTarget if ":" in self._request["address"] else UdpTransportTarget
            address = self._request["address"], self._request["port"]
            self._target = await kind.create(address, timeout=self._request["timeout_s"], retries=0)
            left, self._size = list(self._request["oids"]), self._request["chunk"]
            while left:
                chunk, left = left[: self._size], left[self._size :]
                left = await self._get(chunk) + left
        except _Failure as failure:
            error = {"error": failure.error, "reason": failure.reason}
        finally:
            self._engine.close_dispatcher()
        return {"values": self._values, "requests": self._sent, **error}

    async def _get(self, oids: list[str]) -> list[str]:
        """Ask for some objects together; returns those that must be asked for again, fewer at a time."""
        indication, status, index, bound = await self._answer(oids)
        if indication is not None:
            raise _failure(indication)
        if status == _TOO_BIG and len(oids) > 1:
            self._size = len(oids) // 2
            return oids
        if status == _NO_SUCH_NAME and 0 < index <= len(oids):  # as SNMP v1 has it
            self._values[oids[index - 1]] = {"missing": "no-such-object"}
            return oids[: index - 1] + oids[index:]
        if status in _DENIED_STATUS:
            raise _Failure("access-denied", str(status))
        if status:
            raise _Failure("bad-answer", f"error-status {status}")
        self._keep(oids, bound)
        return []

    def _keep(self, oids: Sequence[str], bound: Sequence[Any]) -> None:
        """Take values of objects that were asked for; an answer about others is none."""
        said = {str(name): _value(value) for name, value in bound}
        if not said.keys() >= set(oids):
            raise _Failure("bad-answer", "other-objects")
        self._values |= {oid: said[oid] for oid in oids}

    async def _answer(self, oids: Sequence[str]) -> tuple[Any, int, int, Sequence[Any]]:
        """One answer, after as many tries as allowed.

        Raises:
            _Failure: if there was none: nothing at all came, or nothing of use, or too late.
        """
        bindings = [ObjectType(ObjectIdentity(oid)) for oid in oids]
        before = self._witness.answered, self._witness.garbage, self._witness.foreign
        for _ in range(self._request["retries"] + 1):
            if self._sent >= self._request["requests"]:
                raise _Failure("bad-answer", "too-many-requests")
            await asyncio.sleep(max(self._next_s - time.monotonic(), 0))
            self._next_s = time.monotonic() + self._request["spacing_s"]
            self._sent += 1
            indication, status, index, bound = await get_cmd(
                self._engine, self._credentials, self._target, ContextData(), *bindings, lookupMib=False
            )
            if not isinstance(indication, errind.RequestTimedOut):
                return indication, int(status), int(index), bound
        answered = self._witness.answered
        await asyncio.sleep(self._request["timeout_s"])
        discovers = isinstance(self._credentials, UsmUserData)
        if self._witness.answered > answered or (answered > before[0] and not discovers):
            raise _Failure("late")
        if answered > before[0]:  # with a wrong privacy key an agent cannot read the request, and says nothing
            raise _Failure("access-denied", "only-discovery-answered")
        if self._witness.garbage > before[1]:
            raise _Failure("bad-answer", "unreadable-datagram")
        if self._witness.foreign > before[2]:
            raise _Failure("bad-answer", "answer-to-another-request")
        raise _Failure("timeout")


def _failure(indication: object) -> _Failure:
    if isinstance(indication, _DENIED):
        return _Failure("access-denied", type(indication).__name__)
    if isinstance(indication, errind.EncryptionError | errind.UnsupportedPrivProtocol):
        return _Failure("method-failed", type(indication).__name__)
    return _Failure("bad-answer", type(indication).__name__)


def _value(value: Any) -> dict[str, Any]:  # noqa: ANN401 - pysnmp's
    for kind, code in _MISSING.items():
        if isinstance(value, kind):
            return {"missing": code}
    if isinstance(value, UnSpecified):
        return {"missing": "no-such-object"}
    name = type(value).__name__
    try:
        return {"type": name, "integer": int(value)}
    except (TypeError, ValueError):
        return {"type": name, "text": value.prettyPrint()[:100]}


def _credentials(secret: Any) -> CommunityData | UsmUserData:  # noqa: ANN401 - JSON
    """Version 3 if there is a user, else version 2c.

    Raises:
        _Failure: if it is neither.
    """
    match secret:
        case {"user": str(user)}:
            authentication, privacy = (secret.get(part) for part in ("authentication", "privacy"))
            try:
                return UsmUserData(
                    user,
                    authKey=authentication["password"] if authentication else None,
                    privKey=privacy["password"] if privacy else None,
                    authProtocol=AUTHENTICATION[authentication["protocol"]] if authentication else usmNoAuthProtocol,
                    privProtocol=PRIVACY[privacy["protocol"]] if privacy else usmNoPrivProtocol,
                )
            except (LookupError, TypeError):
                raise _Failure("access-denied", "unusable-credentials") from None
        case {"community": str(community)}:
            return CommunityData(community, mpModel=1)  # noqa: S508 - what the plant's operator has given
    raise _Failure("access-denied", "unusable-credentials")


def _packed(host: str) -> bytes:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.inet_pton(family, host.partition("%")[0])
