"""What several benchmarks need: two network namespaces back to back, with no way out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager


@contextmanager
def back_to_back(client: str, server: str, setups: Mapping[str, str]) -> Iterator[None]:
    """Two network namespaces of these names, joined by a cable from ``eth0`` to ``eth0``; gone at the end.

    Args:
        client: name of the one.
        server: name of the other.
        setups: lines for ``ip -batch``, by namespace.
    """
    try:
        for name in (client, server):
            subprocess.run(["ip", "netns", "add", name], check=True)
        link = f"link add eth0 netns {client} type veth peer name eth0 netns {server}"
        subprocess.run(["ip", *link.split()], check=True)
        for name, setup in setups.items():
            subprocess.run(["ip", "-n", name, "-batch", "-"], input=setup, text=True, check=True)
        yield
    finally:
        for name in (client, server):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)
