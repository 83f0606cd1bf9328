"""User domains (用户域): services in other zones that can be connected to although no conduit names them.

IEC 62443-3-3 SR 5.1 and SR 5.2 RE(1): deny by default, allow by exception. The zone matrix is observed from inside each
zone, by TCP, over IPv4 and IPv6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pydantic import Field

from profiles.indicators.registry import indicator
from profiles.indicators.trials import Trial
from profiles.indicators.trials import how
from profiles.observation import Observation
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Finding
from profiles.reduced import Member
from profiles.reduced import Register
from profiles.requirement import Strict

#: Ends of an attempt that show that the handshake was completed, although no delay was measured.
HANDSHAKES = frozenset({"reset", "late"})
ANYWHERE = "*"  #: all destinations of a zone from which nothing could be tried


class SegmentationParameters(Strict):
    """How a passage is tried; the defaults are proposals of this project, no standard states them."""

    attempts: int = Field(default=2, ge=1, le=10)  #: connections tried from each side
    timeout_ms: float = Field(default=1000, gt=0, le=60_000)  #: how long a handshake is awaited


@indicator(
    "user-domain-violations",
    unit="count",
    methods=("tcp-connect",),
    parameters=SegmentationParameters,
    objects=("passage",),
)
def user_domain_violations(
    register: Register, observations: Iterable[Observation], parameters: SegmentationParameters
) -> Checklist:
    """Passages that no conduit permits, and in which a TCP handshake from the origin zone was completed.

    A passage is shown closed only if every attempt from its origin failed and the service was seen to listen by the
    control, a vantage point on its own side; without that, nothing is known of it. A reset or an ICMP error in answer
    to the origin, while the control connects, is the work of a firewall or of the host's own rules, so the passage is
    closed; a handshake that is reset afterwards was let through. A holder that does not serve even its own side stands
    aside if another holder of the same service could be tried. A permitted passage that is closed is a fault of the
    conduit, named beside the verdict, and no violation.

    Every declared holder of a service is tried, up to the number that the register holds; where there are more, the
    note ``holders-sampled`` says so, and a finding names the service and how many were left out. A zone in which no
    vantage point stands is one check that was not made, for from there nothing could be tried; zones of kind
    ``external`` are exempt, for nothing can be made to stand there.
    """
    trials: dict[tuple[str, str], Trial] = defaultdict(Trial)
    for seen in observations:
        if seen.method == "tcp-connect" and seen.quantity == "connect-delay" and seen.attempt < parameters.attempts:
            trials[seen.target, seen.vantage].add(seen)
    passages = [_Passage(member, trials, parameters.attempts) for member in register.members if member.drawn]
    forbidden = [it for it in passages if not it.permitted]
    tried = {it.service for it in forbidden if it.check().passed is not None}
    aside = {it: it.holder_is_silent and it.service in tried for it in forbidden}
    checks = tuple(it.check() for it in forbidden if not aside[it])
    broken = (finding for it in passages if it.permitted for finding in it.broken())
    silent = (it.silence() for it in forbidden if aside[it])
    sampled = tuple(dict.fromkeys(finding for it in forbidden for finding in it.left_out()))
    notes = ("holders-sampled",) if sampled else ()
    zones = dict.fromkeys(zone for member in register.members for zone in member.fact("untried").split())
    unmade = (Check(zone, ANYWHERE, None, "no-vantage-in-zone") for zone in zones)
    missing = (Finding(zone, "no-vantage-in-zone") for zone in zones)
    return Checklist((*checks, *unmade), (*broken, *silent, *sampled, *missing), notes)


class _Passage:
    """One passage, and what was seen of it from both sides."""

    def __init__(self, member: Member, trials: dict[tuple[str, str], Trial], attempts: int) -> None:
        self._member = member
        self._probe = trials.get((member.id, member.fact("vantage"))) or Trial()
        controls = (trials.get((id, member.fact("control"))) for id in member.shared)
        self._control = next(filter(None, controls), None) or Trial()
        self._passes = _connects(self._probe, attempts)
        self._listens = _connects(self._control, attempts)

    @property
    def permitted(self) -> bool:
        """Whether a conduit is meant to let it pass."""
        return self._member.fact("permitted") == "yes"

    @property
    def service(self) -> tuple[str, ...]:
        """From where to which service over which IP version, whoever holds it."""
        return tuple(map(self._member.fact, ("origin", "destination", "service", "version")))

    @property
    def holder_is_silent(self) -> bool:
        """Whether its holder was seen not to serve its own side, and was not reached from the origin either."""
        return self._listens is False and not self._passes

    def silence(self) -> Finding:
        """That nothing could be learned from this holder."""
        return Finding(self._member.id, "holder-silent", self._control.why())

    def left_out(self) -> Iterable[Finding]:
        """That its service has more holders than were tried, and how many more."""
        if count := int(self._member.fact("holders_left_out") or 0):
            _, destination, service, version = self.service
            yield Finding(f"{destination} {service} IPv{version}", "holders-sampled", str(count))

    def check(self) -> Check:
        """Whether it is closed, as it is meant to be."""
        fact = self._member.fact
        closed = False if self._passes else True if self._is_shown_closed else None
        note = f"{fact('holder')} {fact('service')} IPv{fact('version')}"
        return Check(fact("origin"), fact("destination"), closed, note if closed else f"{note}: {self._why()}")

    def broken(self) -> Iterable[Finding]:
        """That a conduit which is meant to let it pass does not."""
        if self._is_shown_closed:
            yield Finding(self._member.id, "conduit-broken", self._probe.why())

    @property
    def _is_shown_closed(self) -> bool:
        return self._passes is False and self._listens is True

    def _why(self) -> str:
        if self._passes:
            return "connected" if self._probe.answers else f"connected, {_last(self._probe)}"
        if self._passes is None:
            return self._probe.why()
        return f"control: {self._control.why()}" if self._member.fact("control") else "no-control"


def _connects(trial: Trial, attempts: int) -> bool | None:
    return True if _handshakes(trial) else trial.outcome(attempts)


def _handshakes(trial: Trial) -> list[Observation]:
    return [seen for seen in trial.silent.values() if seen.error in HANDSHAKES]


def _last(trial: Trial) -> str:
    return how(_handshakes(trial)[-1])
