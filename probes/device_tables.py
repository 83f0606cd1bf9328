"""Forwarding and neighbour tables of switches and routers: whom they have heard lately, and where.

Which objects these are is data (:func:`probes.dialects.tables`); it is read on the host and travels inside the action,
so that the evidence holds how each row was read. What an agent says is read strictly: an instance that cannot be one of
its table, or a hardware address that no single device can have, is no sighting.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

#: Octets of an address by InetAddressType (RFC 4001 section 3); those of a zone index follow.
_ADDRESS_OCTETS = {1: (4, 0), 2: (16, 0), 3: (4, 4), 4: (16, 4)}
_MAC_OCTETS = 6


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device that an agent has heard lately."""

    table: str
    mac: str  #: such as ``00:00:5e:00:53:01``; empty if the table does not tell
    address: str  #: IP address in canonical form; empty in a forwarding table
    port: str  #: bridge port, or interface index


def columns(how: Mapping[str, Any]) -> list[str]:
    """The OIDs of a table's columns, in the order in which :func:`sightings` expects their values."""
    return [f"{how['entry']}.{number}" for number in how["columns"].values()]


def sightings(name: str, how: Mapping[str, Any], rows: Mapping[str, Sequence[Any]]) -> Iterator[Sighting]:
    """The sightings in the ``rows`` of the table ``name``: by instance, the value of each column."""
    for instance, row in rows.items():
        values = dict(zip(how["columns"], row, strict=False))
        read = _INDICES[how["index"]](tuple(map(int, instance.split("."))))
        if read is None or not _is_live(how, values):
            continue
        mac, address, interface = read
        if "mac" in how["columns"]:
            mac = _mac(values["mac"])
        if mac:
            yield Sighting(name, mac, address, interface or str(values.get("port") or ""))


def is_single(mac: bytes) -> bool:
    """Whether one device can have this hardware address: neither a group's nor nobody's."""
    return len(mac) == _MAC_OCTETS and any(mac) and not mac[0] & 1


def _is_live(how: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    kept = all(values.get(column) is None or values[column] in good for column, good in how["live"].items())
    return kept and not any(values.get(column) in bad for column, bad in how["idle"].items())


def _mac(value: object) -> str:
    """A hardware address that an agent gives as octets, in hexadecimal; empty if it is none of a single device."""
    try:
        octets = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return ""
    return octets.hex(":") if is_single(octets) else ""


def _octets(numbers: Sequence[int]) -> bytes | None:
    return bytes(numbers) if all(0 <= number < 256 for number in numbers) else None


_Read = tuple[str, str, str]  # hardware address, address, interface


def _of_mac(index: tuple[int, ...]) -> _Read | None:
    octets = _octets(index)
    return (octets.hex(":"), "", "") if octets is not None and is_single(octets) else None


def _of_filter(index: tuple[int, ...]) -> _Read | None:
    return _of_mac(index[1:])


def _of_ipv4(index: tuple[int, ...]) -> _Read | None:
    octets = _octets(index[1:])
    return ("", str(ip_address(octets)), str(index[0])) if octets is not None and len(octets) == 4 else None


def _of_address(index: tuple[int, ...]) -> _Read | None:
    """Interface, type, length, octets (RFC 4293: an InetAddress in an index has its length before it)."""
    if len(index) < 3 or index[1] not in _ADDRESS_OCTETS:
        return None
    length, further = _ADDRESS_OCTETS[index[1]]
    octets = _octets(index[3:])
    if octets is None or not index[2] == len(octets) == length + further:
        return None
    return "", str(ip_address(octets[:length])), str(index[0])


_INDICES = {
    "mac": _of_mac,
    "filter.mac": _of_filter,
    "interface.ipv4": _of_ipv4,
    "interface.address": _of_address,
}
