"""An SNMP client of one agent for tasks, by pysnmp, v2c or v3: one engine, numeric OIDs, no MIBs.

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
from pysnmp.hlapi.v3arch.asyncio import bulk_cmd
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
TOO_BIG, NO_SUCH_NAME = 1, 2  #: error status, RFC 3416 section 3
_WITNESSED = 64  #: datagrams remembered


class Failure(Exception):
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


class Client:
    """One agent: how it is spoken to. What it is asked, and what becomes of that, is for those who derive from it."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.sent = 0  #: requests, all tries counted
        self._next_s = 0.0
        self._witness = _Witness(request["address"])

    async def ask(self) -> None:
        """Ask for everything.

        Raises:
            Failure: when nothing more is to be asked.
        """
        raise NotImplementedError

    def found(self) -> dict[str, Any]:
        """What was learned until now."""
        raise NotImplementedError

    async def run(self) -> dict[str, Any]:
        """Ask, and return what was learned, how many requests that took, and the ``error`` that ended it."""
        self._engine = SnmpEngine()
        error = {}
        try:
            self._credentials = _credentials(self.request["credentials"])
            kind = Udp6TransportTarget if ":" in self.request["address"] else UdpTransportTarget
            address = self.request["address"], self.request["port"]
            self._target = await kind.create(address, timeout=self.request["timeout_s"], retries=0)
            await self.ask()
        except Failure as failure:
            error = {"error": failure.error, "reason": failure.reason}
        finally:
            self._engine.close_dispatcher()
        return {**self.found(), "requests": self.sent, **error}

    async def answer(self, oids: Sequence[str], repetitions: int = 0) -> tuple[int, int, Sequence[Any]]:
        """One answer to GET, or to GETBULK with so many ``repetitions``, after as many tries as allowed.

        Returns:
            Error status, error index (RFC 3416 section 3) and variable bindings.

        Raises:
            Failure: if there was none: nothing at all came, or nothing of use, or too late.
        """
        bindings = [ObjectType(ObjectIdentity(oid)) for oid in oids]
        before = self._witness.answered, self._witness.garbage, self._witness.foreign
        for _ in range(self.request["retries"] + 1):
            if self.sent >= self.request["requests"]:
                raise Failure("bad-answer", "too-many-requests")
            await asyncio.sleep(max(self._next_s - time.monotonic(), 0))
            self._next_s = time.monotonic() + self.request["spacing_s"]
            self.sent += 1
            where = self._engine, self._credentials, self._target, ContextData()
            if repetitions:
                said = await bulk_cmd(*where, 0, repetitions, *bindings, lookupMib=False)
            else:
                said = await get_cmd(*where, *bindings, lookupMib=False)
            indication, status, index, bound = said
            if indication is not None and not isinstance(indication, errind.RequestTimedOut):
                raise _failure(indication)
            if indication is None:
                return int(status), int(index), bound
        await self._explain(*before)
        raise Failure("timeout")

    async def _explain(self, answered_before: int, garbage_before: int, foreign_before: int) -> None:
        """Wait once more, and say why there was no answer, if something came at all."""
        answered = self._witness.answered
        await asyncio.sleep(self.request["timeout_s"])
        discovers = isinstance(self._credentials, UsmUserData)
        if self._witness.answered > answered or (answered > answered_before and not discovers):
            raise Failure("late")
        if answered > answered_before:  # with a wrong privacy key an agent cannot read the request, and says nothing
            raise Failure("access-denied", "only-discovery-answered")
        if self._witness.garbage > garbage_before:
            raise Failure("bad-answer", "unreadable-datagram")
        if self._witness.foreign > foreign_before:
            raise Failure("bad-answer", "answer-to-another-request")


def check(status: int) -> None:
    """See that an agent did as it was asked.

    Raises:
        Failure: if its error status (RFC 3416 section 3) says that it did not.
    """
    if status in _DENIED_STATUS:
        raise Failure("access-denied", str(status))
    if status:
        raise Failure("bad-answer", f"error-status {status}")


def _failure(indication: object) -> Failure:
    if isinstance(indication, _DENIED):
        return Failure("access-denied", type(indication).__name__)
    if isinstance(indication, errind.EncryptionError | errind.UnsupportedPrivProtocol):
        return Failure("method-failed", type(indication).__name__)
    return Failure("bad-answer", type(indication).__name__)


def _credentials(secret: Any) -> CommunityData | UsmUserData:  # noqa: ANN401 - JSON
    """Version 3 if there is a user, else version 2c.

    Raises:
        Failure: if it is neither.
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
                raise Failure("access-denied", "unusable-credentials") from None
        case {"community": str(community)}:
            return CommunityData(community, mpModel=1)  # noqa: S508 - what the plant's operator has given
    raise Failure("access-denied", "unusable-credentials")


def _packed(host: str) -> bytes:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.inet_pton(family, host.partition("%")[0])
