"""IPv6 network support (IPv6 网络支持度): checks of each network element and of each zone's segment.

No standard defines the indicator for a plant's network; the checks are this project's, equal in weight, and follow
RFC 8504 (node requirements) and RFC 4861 (router discovery).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from ipaddress import ip_address

from pydantic import Field

from profiles.indicators.identifiers import records
from profiles.indicators.identifiers import resolution
from profiles.indicators.registry import indicator
from profiles.indicators.trials import Trial
from profiles.indicators.trials import all_of
from profiles.indicators.trials import any_of
from profiles.indicators.trials import facts
from profiles.observation import Observation
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Member
from profiles.reduced import Register
from profiles.requirement import Strict

_LONGEST_S = 65_535  #: a Router Lifetime has 16 bits (RFC 4861 4.2)


class Ipv6SupportParameters(Strict):
    """How IPv6 is tried; the defaults are proposals of this project, no standard states them."""

    attempts: int = Field(default=2, ge=1, le=100)  #: echoes of each address, connections to each service, questions
    timeout_ms: float = Field(default=1000, gt=0, le=60_000)  #: of an echo or a handshake
    payload_bytes: int = Field(default=32, ge=8, le=64)  #: ICMPv6 payload
    resolution_timeout_ms: float = Field(default=2000, gt=0, le=60_000)  #: of a question to the resolver
    #: how long router advertisements are awaited; RTR_SOLICITATION_INTERVAL of RFC 4861 10
    router_timeout_ms: float = Field(default=4000, gt=0, le=60_000)


#: By method: the quantity that is read, and whether it concerns single services.
_READ = {
    "icmp-echo": "round-trip-delay",
    "tcp-connect": "connect-delay",
    "dns-query": "resolution-delay",
    "router-solicitation": "router-lifetime",
}


@indicator(
    "ipv6-network-support",
    unit="%",
    methods=tuple(_READ),
    parameters=Ipv6SupportParameters,
    objects=("element",),
)
def ipv6_network_support(
    register: Register, observations: Iterable[Observation], parameters: Ipv6SupportParameters
) -> Checklist:
    """Checks passed, over all checks of all elements, equal in weight.

    Of each device: an IPv6 address beyond the link is declared; one of its IPv6 addresses answers an echo; if its name
    is declared, it resolves to exactly the declared IPv6 addresses (AAAA); and if it has TCP services and an IPv4
    address, every service that connects over IPv4 connects over IPv6. Of each zone's segment: a router advertises
    itself as a default router (Router Lifetime above 0). What cannot be compared, because no service connects over
    IPv4, is unknown; what was not declared fails.
    """
    seen = _Seen(parameters)
    for observation in observations:
        seen.add(observation)
    drawn = (member for member in register.members if member.drawn)
    of_kind = {"device": seen.device, "segment": seen.segment}
    return Checklist(tuple(check for member in drawn for check in of_kind[member.fact("kind")](member)))


class _Seen:
    """Everything that was observed, by method, element, address and port."""

    def __init__(self, parameters: Ipv6SupportParameters) -> None:
        self._trials: dict[tuple[object, ...], Trial] = defaultdict(Trial)
        self._attempts = parameters.attempts
        self._patience_ms = {
            "icmp-echo": parameters.timeout_ms,
            "tcp-connect": parameters.timeout_ms,
            "dns-query": parameters.resolution_timeout_ms,
        }

    def add(self, seen: Observation) -> None:
        """Count one observation; others may have asked for more attempts, and in more windows."""
        if _READ.get(seen.method) != seen.quantity or seen.window or seen.attempt >= self._attempts:
            return
        where: tuple[object, ...] = (seen.address,)
        if seen.method == "tcp-connect":
            where = (seen.address, str(facts(seen.detail).get("port")))
        elif seen.method == "dns-query":  # its address is the resolver's
            where = ()
        trial = self._trials[seen.method, seen.target, *where]
        if seen.method == "router-solicitation":
            trial.add(seen, most=_LONGEST_S)
        else:
            trial.add(seen, self._patience_ms[seen.method])

    def device(self, member: Member) -> Iterator[Check]:
        """The checks of a device."""
        declared = member.fact("addresses").split()
        six = [it for it in declared if ":" in it]
        beyond = [it for it in six if not ip_address(it).is_link_local]
        ports = member.fact("tcp_ports").split()
        yield Check(member.id, "address", bool(beyond), "" if beyond else " ".join(declared) or "–")
        yield self._echo(member, six)
        if member.fact("host_name"):
            yield self._name(member, beyond)
        if ports and len(six) < len(declared):
            yield self._parity(member, [it for it in declared if it not in six], six, ports)

    def segment(self, member: Member) -> Iterator[Check]:
        """The check of a zone's segment."""
        prefixes = [it for it in member.fact("networks").split() if ":" in it]
        trials = [self._of("router-solicitation", member.id, it) for it in prefixes]
        lifetimes_s = [seen.value for trial in trials for seen in trial.answers]
        passed = True if any(lifetimes_s) else any_of(trial.outcome(1) for trial in trials if not trial.answers)
        note = "lifetime 0 s" if lifetimes_s else _why(trials)
        yield Check(member.id, "ra-default-route", passed, "" if passed else note)

    def _of(self, *key: object) -> Trial:
        return self._trials.get(key) or Trial()

    def _echo(self, member: Member, six: list[str]) -> Check:
        trials = [self._of("icmp-echo", member.id, it) for it in six]
        passed = any_of(trial.outcome(self._attempts) for trial in trials)
        return Check(member.id, "echo", passed, "" if passed else _why(trials))

    def _name(self, member: Member, beyond: list[str]) -> Check:
        wanted = records("AAAA", beyond)
        passed, note = resolution(self._of("dns-query", member.id), "AAAA", wanted, self._attempts)
        passed = passed if wanted else False
        return Check(member.id, "aaaa", passed, "" if passed else f"{member.fact('host_name')}: {note or '–'}")

    def _parity(self, member: Member, four: list[str], six: list[str], ports: list[str]) -> Check:
        """The services that connect over IPv4, held against IPv6."""
        held: dict[str, bool | None] = {}
        for port in ports:
            over4, over6 = (self._service(member, addresses, port) for addresses in (four, six))
            if over4 is not False:
                held[port] = over6 if over4 or over6 else None
        passed = all_of(held.values()) if held else None
        notes = [f"tcp/{port}: {self._why_not(member, six, port)}" for port, holds in held.items() if not holds]
        return Check(member.id, "parity", passed, "; ".join(notes) if held else "IPv4: –")

    def _service(self, member: Member, addresses: list[str], port: str) -> bool | None:
        return any_of(self._of("tcp-connect", member.id, it, port).outcome(self._attempts) for it in addresses)

    def _why_not(self, member: Member, six: list[str], port: str) -> str:
        return _why([self._of("tcp-connect", member.id, it, port) for it in six])


def _why(trials: list[Trial]) -> str:
    """What stood in the way, at each address; a dash where none is declared."""
    return ", ".join(dict.fromkeys(trial.why() for trial in trials if not trial.answers)) or "–"
