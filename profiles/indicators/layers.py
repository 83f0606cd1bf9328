"""Layered evidence: which layers of an object gave a sign of life, and at which one it ends. A diagnosis, no verdict.

link
    its address is answered for on the vantage point's own link (ARP, neighbour discovery)
network
    it answers an echo request
transport
    a declared TCP service accepts a connection
application
    a declared application answers in its own protocol

An object ends at the lowest layer that gave no sign of life though it was asked for one, and above which there was
none either: who answers at a higher layer is there at the lower ones, whatever a filter keeps from us.
"""

from __future__ import annotations

from collections.abc import Mapping

#: The layer of each method, from the lowest.
LAYERS: Mapping[str, str] = {
    "neighbour": "link",
    "icmp-echo": "network",
    "tcp-connect": "transport",
    "application-exchange": "application",
}
BIT: Mapping[str, int] = {method: 1 << place for place, method in enumerate(LAYERS)}
TRANSPORT = BIT["tcp-connect"]
APPLICATION = BIT["application-exchange"]
#: Errors by which somebody says no, unlike silence: a sign of life of the network layer, whichever layer was asked.
REFUSALS = frozenset({"refused", "reset"})
LABEL = "layers"  #: with which the part of a note begins that :func:`told` makes


def told(answered: int, silent: int, refusing: int = 0) -> str:
    """The layers as part of a note, such as ``layers link:answered network:silent ends:network``; empty if unknown.

    Args:
        answered: layers with a sign of life, by :data:`BIT`.
        silent: layers that were asked, soundly and in vain.
        refusing: those of the silent ones that said no, see :data:`REFUSALS`.
    """
    if not (answered or silent):
        return ""
    words = []
    for method, layer in LAYERS.items():
        bit = BIT[method]
        if answered & bit:
            words.append(f"{layer}:answered")
        elif silent & bit:
            words.append(f"{layer}:{'refused' if refusing & bit else 'silent'}")
    alive = max(answered, TRANSPORT - 1 if refusing else 0).bit_length()  # layers up to the highest sign of life
    ends = next((layer for (method, layer) in list(LAYERS.items())[alive:] if silent & BIT[method]), "")
    return " ".join((LABEL, *words, *([f"ends:{ends}"] if ends else [])))
