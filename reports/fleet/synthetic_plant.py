"""Made-up plants, and what made-up vantage points observed of them; both follow from a seed and a number alone."""

from __future__ import annotations

import json
import math
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from importlib.resources import files
from typing import Any
from typing import NamedTuple

from fixtures.objects.passages import passages
from fixtures.plant.model import Plant
from profiles.observation import Observation

#: Campaigns begin on 1 March 2026, one a minute; observations follow each other by a millisecond.
_BEGIN_NS, _APART_NS, _STEP_NS = 1_772_323_200_000_000_000, 60_000_000_000, 1_000_000
_DESK, _CELL = "desk", "cell"  #: vantage points, in the zones ``office`` and ``cell-a``
_CLOCK, _LEADER, _ROGUE = "00005e.fffe.005302", "00005e.fffe.005301", "00005e.fffe.005309"
_SENSITIVITY_DBM = -28.0
_SERVICE_PORT = 502
_RESOLVER = "198.18.11.2"
_ATTEMPTS = 2  #: of everything, as ``synthetic.yaml`` asks

#: The requirement that has nothing to speak about where a plant has no such things.
_ABOUT = {"clocks": ("TSN-SYNC",), "modems": ("5G-REG", "5G-RSRP"), "onus": ("PON-RX-MARGIN",),
          "identifiers": ("DATA-ID-RES",)}  # fmt: skip


@cache
def settings() -> dict[str, Any]:
    """How many of what, and how often what goes wrong: ``synthetic.toml``."""
    return tomllib.loads(files("reports.fleet").joinpath("synthetic.toml").read_text("utf-8"))


class _Row(NamedTuple):
    """What was seen at one attempt, but for when."""

    method: str
    vantage: str
    target: str
    address: str
    quantity: str
    value: float | None
    unit: str
    error: str | None
    attempt: int
    detail: str

    def lost(self) -> _Row:
        """The same attempt, had its vantage point been lost before."""
        return self._replace(value=None, error="vantage-lost", detail="")

    def observation(self, utc_ns: int, monotonic_ns: int) -> Observation:
        return Observation(*self[:8], 0, self.attempt, utc_ns, monotonic_ns, self.detail)


@dataclass
class SyntheticPlant:
    """Plant number ``number`` of the fleet that ``seed`` makes."""

    seed: int
    number: int
    rng: random.Random = field(init=False)
    counts: dict[str, int] = field(init=False)
    amiss: float = field(init=False)  #: share of its things that are

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.seed}:{self.number}")  # noqa: S311  # repeatable on purpose
        told = settings()
        self.counts = {name: self._count(*bounds) for name, bounds in told["sizes"].items()}
        self.counts |= {name: 0 for name, share in told["without"].items() if self.rng.random() < share}
        sound = self.rng.random() < told["amiss"]["whole"]
        self.amiss = 0.0 if sound else self.rng.betavariate(*told["amiss"]["shapes"])

    def _count(self, least: int, greatest: int) -> int:
        return round(math.exp(self.rng.uniform(math.log(least), math.log(greatest))))

    def plant(self) -> Plant:
        """The plant, which says of itself that it is synthetic."""
        names = settings()["organisations"]
        missing = [requirement for name, about in _ABOUT.items() if not self.counts[name] for requirement in about]
        return Plant.model_validate(
            {
                "plant": f"合成工厂 {self.number:05d} (synthetic)",
                "organisation": names[self.number % len(names)],
                "zones": [
                    {"id": "cell-a", "name": "单元 A", "networks": ["198.18.10.0/24"]},
                    {"id": "office", "name": "办公网", "kind": "it", "networks": ["198.18.11.0/24"]},
                ],
                "endpoints": list(self._endpoints()),
                "devices": self._olt(),
                "vantages": [
                    {"id": _DESK, "where": "local", "zone": "office", "measures": ["office"]},
                    {"id": _CELL, "where": "local", "zone": "cell-a", "measures": ["cell-a"]},
                ],
                "services": {"dns": _RESOLVER},
                "tailoring": [
                    {"requirement": id, "reason": "本厂没有这类对象（合成）", "approved_by": "synthetic"}
                    for id in missing
                ],
                **self._facilities(),
            }
        )

    def _endpoints(self) -> Iterator[dict[str, Any]]:
        number = 0
        for cls in "EPSX":
            for index in range(self.counts[cls]):
                zone = "office" if cls in "PX" and index % 2 else "cell-a"
                address = f"198.18.{10 + (zone == 'office')}.{number + 10}"
                served = [f"tcp/{_SERVICE_PORT}"] if (cls, index) == ("E", 0) else []
                yield {"id": f"{cls.lower()}-{index:02d}", "class": cls, "zone": zone, "addresses": [address],
                       "technology": ("ethernet", "5g", "pon", "wifi")[index % 4], "services": served}  # fmt: skip
                number += 1

    def _olt(self) -> list[dict[str, Any]]:
        olt = {"id": "olt-1", "kind": "olt", "zone": "cell-a", "addresses": ["198.18.10.2"]}
        return [olt | {"credentials": "env:PLANTPROOF_SYNTHETIC"}] if self.counts["onus"] else []

    def _facilities(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        made["clocks"] = [
            {"id": f"clock-{i}", "vantage": _CELL, "socket": f"/var/run/ptp4l-{i}", "grandmaster": _LEADER}
            for i in range(self.counts["clocks"])
        ]
        made["modems"] = [
            {"id": f"modem-{i}", "vantage": _CELL, "port": f"/dev/ttyUSB{i}"} for i in range(self.counts["modems"])
        ]
        made["onus"] = [
            {"id": f"onu-{i}", "olt": "olt-1", "index": f"4194304000.{i}", "sensitivity_dbm": _SENSITIVITY_DBM}
            for i in range(self.counts["onus"])
        ]
        made["identifiers"] = [
            {"id": f"id-{i}", "name": f"88.100.{self.number}.{i}", "answers": [f"urn:synthetic:{self.number}:{i}"]}
            for i in range(self.counts["identifiers"])
        ]
        return made

    def observations(self, plant: Plant) -> list[Observation]:
        """What was seen of ``plant``, this plant's own: some things are amiss, and at times something stays open."""
        said = settings()
        lost = self.rng.random() < said["open"]["vantage-lost"]
        kinds = [self._echoes(plant), self._handshakes(plant), self._clocks(plant), self._modems(plant),
                 self._onus(plant), self._answers(plant)]  # fmt: skip
        if self.rng.random() < said["open"]["not-run"]:
            del kinds[self.rng.randrange(len(kinds))]
        made = [row for kind in kinds for row in kind]
        gone = self.rng.randrange(len(made)) if lost else len(made)
        start = _BEGIN_NS + self.number * _APART_NS
        return [
            (row if index < gone else row.lost()).observation(start + index * _STEP_NS, index * _STEP_NS)
            for index, row in enumerate(made)
        ]

    def _is_amiss(self) -> bool:
        return self.rng.random() < self.amiss

    def _echoes(self, plant: Plant) -> Iterator[_Row]:
        for endpoint in plant.endpoints:
            vantage = _CELL if endpoint.zone == "cell-a" else _DESK
            silent = self._is_amiss()
            for attempt in range(_ATTEMPTS):
                delay = None if silent else round(self.rng.lognormvariate(-0.9, 0.5), 6)
                yield _Row("icmp-echo", vantage, endpoint.id, str(endpoint.addresses[0]), "round-trip-delay", delay,
                           "ms", "timeout" if silent else None, attempt, "" if silent else '{"ttl":64}')  # fmt: skip

    def _handshakes(self, plant: Plant) -> Iterator[_Row]:
        """From the office nothing connects, unless a passage is open; from within the cell the service listens."""
        opened = self.rng.random() < settings()["amiss"]["passage"] * (self.amiss > 0)
        for passage in passages(plant):
            for vantage, target, connects in ((_DESK, passage.id, opened), (_CELL, passage.service, True)):
                for attempt in range(_ATTEMPTS):
                    delay = round(self.rng.uniform(0.1, 2), 6) if connects else None
                    yield _Row("tcp-connect", vantage, target, str(passage.address), "connect-delay", delay, "ms",
                           None if connects else "timeout", attempt, json.dumps({"port": passage.port}))  # fmt: skip

    def _clocks(self, plant: Plant) -> Iterator[_Row]:
        for clock in plant.clocks:
            leader = _ROGUE if self._is_amiss() else _LEADER
            offset = 4_000.0 if self._is_amiss() else round(self.rng.gauss(0, 120), 3)
            said = {"clock": _CLOCK, "ports": {"1": "SLAVE"}, "gm_present": True, "gm_identity": leader}
            for attempt in range(_ATTEMPTS):
                yield _Row("ptp-management", _CELL, clock.id, clock.socket, "clock-offset", offset, "ns", None, attempt,
                       json.dumps(said))  # fmt: skip

    def _modems(self, plant: Plant) -> Iterator[_Row]:
        for modem in plant.modems:
            registered = float(not self._is_amiss())
            level = -112.0 if self._is_amiss() else round(self.rng.uniform(-98, -70))
            for attempt in range(_ATTEMPTS):
                for quantity, value, unit in (("registration", registered, "1"), ("ss-rsrp", float(level), "dBm")):
                    yield _Row("modem-status", _CELL, modem.id, modem.port, quantity, value, unit, None, attempt, "{}")

    def _onus(self, plant: Plant) -> Iterator[_Row]:
        for onu in plant.onus:
            power = _SENSITIVITY_DBM + (1.5 if self._is_amiss() else round(self.rng.uniform(4, 14), 2))
            yield _Row("snmp-read", _CELL, onu.id, "198.18.10.2", "onu-rx-power", round(power, 2), "dBm", None, 0,
                   json.dumps({"index": onu.index}))  # fmt: skip

    def _answers(self, plant: Plant) -> Iterator[_Row]:
        for identifier in plant.identifiers:
            answers = [] if self._is_amiss() else list(identifier.answers)
            said = {"port": 53, "rcode": "NOERROR" if answers else "NXDOMAIN", "answers": answers}
            for attempt in range(_ATTEMPTS):
                delay = round(self.rng.uniform(0.4, 9), 6)
                yield _Row("dns-query", _DESK, identifier.id, _RESOLVER, "resolution-delay", delay, "ms", None,
                       attempt, json.dumps(said))  # fmt: skip
