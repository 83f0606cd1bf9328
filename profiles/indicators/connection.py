"""Connected objects: 应联尽联 (everything that can be connected is) and 哑设备 (what has no data interface in use).

Both ask of each object of the register whether anything shows it on a network: an answer to a probe, its presence on
the link, an entry in a table of a switch or router, a data record, or the gateway it works behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field

from pydantic import Field

from profiles.indicators.registry import indicator
from profiles.indicators.trials import any_of
from profiles.indicators.trials import facts
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Strict

_HOUR_NS = 3_600_000_000_000
PROBES = {"icmp-echo": "round-trip-delay", "tcp-connect": "connect-delay"}
TABLES = ("snmp-walk", "sightings")
METHODS = (*PROBES, "neighbour", "snmp-walk")
#: An agent does not answer a community that it does not know, so that silence has more than one cause.
_REASONS = {"timeout": "no-snmp-answer", "late": "no-snmp-answer"}


class ConnectionParameters(Strict):
    """How objects are looked for; the defaults are proposals of this project, no standard states them."""

    attempts: int = Field(default=5, ge=1, le=100)  #: echo requests to each address
    timeout_ms: float = Field(default=1000, gt=0, le=60_000)  #: of an echo or a handshake
    payload_bytes: int = Field(default=32, ge=8, le=64)  #: ICMP payload
    record_age_h: float = Field(default=24, gt=0, le=8784)  #: a data record that is older shows nobody
    record_ahead_h: float = Field(default=1, ge=0, le=24)  #: one that is further ahead of its time is not believed
    table_rows: int = Field(default=10_000, ge=100, le=100_000)  #: of one table of a switch or router
    table_requests: int = Field(default=400, ge=10, le=10_000)  #: to one switch or router


@dataclass(slots=True)
class _Record:
    """What was seen of one object."""

    shown: bool = False
    silent: int = 0  #: sound probes without an answer
    unlisted: int = 0  #: onlookers whose tables were read to the end and do not show it
    unsought: bool = False  #: whether it should have been looked for on the link, and was not
    fault: str = ""  #: first instrument error

    def add(self, seen: Observation, parameters: ConnectionParameters) -> None:
        """Count one observation; others may have asked for more attempts, in more windows."""
        if PROBES.get(seen.method) == seen.quantity and not seen.window:
            if seen.error is None and seen.value is not None and 0 <= seen.value <= parameters.timeout_ms:
                self.shown = True
            elif seen.error in TARGET_ERRORS or (seen.value is not None and seen.value > parameters.timeout_ms):
                self.silent += seen.attempt < (1 if seen.method == "tcp-connect" else parameters.attempts)
            else:
                self.fault = self.fault or seen.error or "bad-answer"
        elif seen.method == "neighbour":
            self._look_on_link(seen)
        elif (seen.method, seen.quantity) == TABLES and "tables" in facts(seen.detail):
            # It is an onlooker itself: one that answers is there, whatever its tables hold.
            self.shown = self.shown or seen.error in (None, "absent")
        elif (seen.method, seen.quantity) == TABLES:
            if seen.error is None and seen.value is not None and seen.value >= 1:
                self.shown = True
            elif seen.error == "absent":
                self.unlisted += 1
            else:
                self.fault = self.fault or _REASONS.get(seen.error or "", seen.error or "bad-answer")

    def _look_on_link(self, seen: Observation) -> None:
        if seen.error is None and seen.value == 1:
            self.shown = True
        elif seen.error not in TARGET_ERRORS:
            self.unsought = True
            self.fault = self.fault or seen.error or "bad-answer"


@dataclass(slots=True)
class _Evidence:
    """Everything that was observed, by object, and when the latest of it was."""

    parameters: ConnectionParameters
    records: dict[str, _Record] = field(default_factory=lambda: defaultdict(_Record))
    now_ns: dict[str, int] = field(default_factory=dict)  #: by vantage point, as its clock told

    @classmethod
    def of(cls, observations: Iterable[Observation], parameters: ConnectionParameters) -> _Evidence:
        found = cls(parameters)
        for seen in observations:
            found.now_ns[seen.vantage] = max(found.now_ns.get(seen.vantage, 0), seen.utc_ns)
            found.records[seen.target].add(seen, parameters)
        return found

    def connected(self, member: Member) -> tuple[bool | None, str, str]:
        """Whether something shows it; if not, or if that is not known, why, and a note for the reader."""
        by_itself, reason = self._seen(
            member.id,
            member.addresses,
            member.services,
            int(member.fact("onlookers") or 0),
            known_by_mac=bool(member.fact("mac")),
        )
        if by_itself:
            return True, "", ""
        if last_seen := member.fact("last_seen_utc_ns"):
            by_others, why, note = self._recorded(int(last_seen))
        elif gateway := member.fact("gateway"):
            counts = [int(member.fact(f"gateway_{it}") or 0) for it in ("addresses", "services", "onlookers")]
            named = bool(member.fact("gateway_macs"))
            by_others, why = self._seen(gateway, counts[0], counts[1], counts[2], known_by_mac=named)
            note = gateway
            why = "gateway-silent" if by_others is False else why
        else:
            return by_itself, reason, ""
        shown = any_of((by_itself, by_others))
        if shown:
            return True, "", ""
        return shown, (reason if shown is None and by_others is False else why), note

    def _seen(
        self, id: str, addresses: int, services: int, onlookers: int, *, known_by_mac: bool
    ) -> tuple[bool | None, str]:
        """Whether probes or tables show an object; ``False`` only if all that could have shown it were sound."""
        record = self.records.get(id) or _Record()
        if record.shown:
            return True, ""
        if not addresses and not known_by_mac:
            return False, "no-network-identity"  # nothing of it could be seen on any network
        if not addresses and not onlookers:
            return None, "no-onlooker"
        probed = record.silent >= addresses * (self.parameters.attempts + services)
        looked_up = record.unlisted >= onlookers and not record.unsought
        return (False, "not-seen") if probed and looked_up else (None, record.fault or "not-measured")

    def _recorded(self, last_seen_ns: int) -> tuple[bool | None, str, str]:
        """Whether data of it came lately, by the clock of every vantage point; one that is wrong decides nothing."""
        ages_h = sorted((now_ns - last_seen_ns) / _HOUR_NS for now_ns in self.now_ns.values())
        if not ages_h:
            return None, "not-measured", ""
        least, most = ages_h[0], ages_h[-1]
        if least < -self.parameters.record_ahead_h:
            return None, "record-in-future", f"{-least:.0f} h"
        if least <= self.parameters.record_age_h < most:
            return None, "record-age-unclear", f"{least:.0f} h … {most:.0f} h"
        return most <= self.parameters.record_age_h, "record-stale", f"{least:.0f} h"


def _can_be_connected(member: Member, _parameters: ConnectionParameters) -> bool:
    return member.fact("connectable") != "no"


@indicator(
    "connected-share",
    unit="%",
    methods=METHODS,
    parameters=ConnectionParameters,
    objects=("terminal",),
    counts=_can_be_connected,
)
def connected_share(
    register: Register, observations: Iterable[Observation], parameters: ConnectionParameters
) -> Reduced:
    """Objects that something shows on a network, over all objects of the register that can be connected.

    What shows an object: an answer to an echo or a TCP handshake, its presence on the link (ARP, neighbour discovery),
    an entry in a forwarding or neighbour table of a switch or router that is learned and not stale, or a data record
    not older than the parameter says. An object behind a gateway, without a data record of its own, counts as
    connected while its gateway is shown. An object is not connected only if everything that could have shown it was
    read soundly and did not; else it is unknown. Objects that are declared as not connectable are left out.
    """
    members = [it for it in register.members if _can_be_connected(it, parameters)]
    return _share(members, observations, parameters, counts=True) if members else Invalid("empty-register")


@indicator("dumb-device-share", unit="%", methods=METHODS, parameters=ConnectionParameters, objects=("terminal",))
def dumb_device_share(
    register: Register, observations: Iterable[Observation], parameters: ConnectionParameters
) -> Reduced:
    """Objects that nothing shows on a network and of which no data came in lately, over all objects of the register.

    What shows an object is as for the share of connected ones. The source does not define the word; this reading, no
    data interface in use, is the project's. Objects that are declared as not connectable count.
    """
    return _share(register.members, observations, parameters, counts=False)


def _share(
    members: Iterable[Member], observations: Iterable[Observation], parameters: ConnectionParameters, *, counts: bool
) -> Ratio:
    """The share of drawn members that are connected, or that are not, as ``counts`` says."""
    evidence, population = _Evidence.of(observations, parameters), list(members)
    drawn = [it for it in population if it.drawn]
    found = [(it, *evidence.connected(it)) for it in drawn]
    unknown = [one for one in found if one[1] is None]
    known = [one for one in found if one[1] is not None]
    failing = [one for one in found if one[1] is False] + unknown
    by_gateway = any(it.fact("gateway") and not it.fact("last_seen_utc_ns") and shown for it, shown, *_ in found)
    return Ratio(
        sum(shown is counts for _, shown, *_ in known),
        len(known),
        len(unknown),
        None if len(drawn) == len(population) else len(population),
        failing=tuple(Finding(it.id, reason, note) for it, _, reason, note in failing),
        notes=("counted-by-gateway",) if by_gateway else (),
    )
