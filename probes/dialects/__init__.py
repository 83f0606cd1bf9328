"""Dialects: what instruments of different makers are asked and how their answers are read, as data.

A dialect is a TOML file of one kind: ``at`` (command ports of modems) or ``snmp`` (management objects of OLTs). It is
read on the host, and travels inside the action, so that the evidence holds how each number was read. Other packages add
dialects by an entry point of the group :data:`ENTRY_POINT_GROUP` whose value is a package with folders ``at`` and
``snmp``; a name that is built in cannot be taken.

Keys of an ``at`` dialect (read by :mod:`probes.at`):

- ``[[ask]]``: a ``command`` that the gate allows, the ``prefix`` of its answer's lines, and its ``layout`` list; a line
  has the first layout whose ``where`` (position: regular expression of the whole field, quotes included) fits.
- A layout's ``read``: position of each quantity and the ``value`` that says how to decode it; ``registered`` and
  ``standalone``: a truth, or a position with the fields that mean ``yes`` and ``no``; ``keep``: facts by position.
- ``[value.NAME]``: number = ``offset`` + ``step`` * field, the lower bound of the interval that the field stands for,
  valid from ``least`` to ``most``; fields of ``unknown`` mean that there is no reading.

Keys of an ``snmp`` dialect (read by :mod:`probes.snmp`):

- ``[objects.NAME]``: the ``oid`` without instance, ``unit``, value = ``offset`` + ``scale`` * integer (of which the
  lower 16 bits are read as signed where ``signed16``), plausible from ``least`` to ``most``; ``unknown`` integers mean
  that there is no reading; ``suffix`` is appended to the instance.
- ``[status]``: the ``oid`` of the run state, what its integers are called (``meaning``), and which of them mean that
  the unit is on line (``online``).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

#: Entry points of this group name packages with further dialects.
ENTRY_POINT_GROUP = "plantproof.dialects"
KINDS = ("at", "snmp")


def load(kind: str, name: str) -> dict[str, Any]:
    """The dialect ``name`` of a kind of :data:`KINDS`.

    Raises:
        LookupError: if there is none of that name; the message lists those there are.
    """
    found = known(kind)
    if name not in found:
        raise LookupError(f"no {kind} dialect {name!r}; known: {', '.join(sorted(found))}")
    return tomllib.loads(found[name].read_text("utf-8"))


@cache
def tables() -> dict[str, dict[str, Any]]:
    """The tables that :mod:`probes.device_tables` reads, by name, as ``tables.toml`` has them."""
    return tomllib.loads(files(__name__).joinpath("tables.toml").read_text("utf-8"))


@cache
def known(kind: str) -> dict[str, Traversable]:
    """The files of all dialects of ``kind`` by name: built in first, then those of other packages.

    Raises:
        LookupError: if there is no such kind.
    """
    if kind not in KINDS:
        raise LookupError(f"no kind of dialects {kind!r}; known: {', '.join(KINDS)}")
    homes = [files(__name__), *(files(entry.value) for entry in entry_points(group=ENTRY_POINT_GROUP))]
    found: dict[str, Traversable] = {}
    for home in homes:
        folder = home.joinpath(kind)
        for file in folder.iterdir() if folder.is_dir() else ():
            if file.name.endswith(".toml"):
                found.setdefault(file.name.removesuffix(".toml"), file)
    return found
