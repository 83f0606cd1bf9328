"""What an action costs: packets, bytes, and how long the permitted rates may stretch it. Pure; sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from probes.action import Action
from probes.action import Cost
from probes.gate import Gate
from probes.gate import Refusal
from probes.limits import BACK_OFF_LIMIT
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.ports import Ticket


def price(
    action: Action,
    permit: Permit,
    level: str,
    *,
    attempts: int,
    packets: int,
    size: Callable[[Ticket], int],
    waiting_s: float,
) -> Cost:
    """Price of ``attempts`` probes at each target that the permit admits.

    Args:
        action: what is asked.
        permit: what is permitted; a target it refuses costs nothing.
        level: safety level of the method.
        attempts: probes of each target.
        packets: IP packets of one probe.
        size: IP bytes of one probe at a ticket's address.
        waiting_s: how long the last probe may still be waited for.
    """
    gate = Gate(permit)
    total: dict[str, Counter[str]] = {}
    devices: dict[str, Counter[str]] = {}
    shared: Counter[str] = Counter()  #: by device: how many vantage points share its rate
    for target in action.targets:
        admitted = gate.admit(target, level, target.port or 0)
        if not isinstance(admitted, Refusal):
            zone = admitted.zone.permit.zone
            total.setdefault(zone, Counter()).update(packets=attempts * packets, bytes=attempts * size(admitted))
            devices.setdefault(zone, Counter())[admitted.device.id] += attempts
            shared[admitted.device.id] = max(shared[admitted.device.id], permit.shared.get(target.address, 1))
    if not total:
        return Cost(0, 0, 0.0, level)
    slowest = max(
        _zone_s(permit.zones[zone], count["packets"], count["bytes"])
        + max(_device_s(permit.zones[zone], probes) * shared[id] for id, probes in devices[zone].items())
        for zone, count in total.items()
    )
    everything = sum(total.values(), Counter())
    return Cost(everything["packets"], everything["bytes"], slowest + waiting_s, level)


def _zone_s(zone: ZonePermit, packets: int, size: int) -> float:
    by_packets = packets / zone.packets_per_s if zone.packets_per_s is not None else 0.0
    by_bits = size * 8 / zone.bits_per_s if zone.bits_per_s is not None else 0.0
    return max(by_packets, by_bits)


def _device_s(zone: ZonePermit, probes: int) -> float:
    """Time that the device's rate stretches ``probes`` to if every one of them times out and backs off."""
    if zone.packets_per_s_per_device is None:
        return 0.0
    return sum(min(1 << k, BACK_OFF_LIMIT) for k in range(1, probes)) / zone.packets_per_s_per_device
