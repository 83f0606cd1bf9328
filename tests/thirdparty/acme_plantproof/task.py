"""Connect and read what a meter says, with the blocking calls of an ordinary library; run in a process of its own."""

from __future__ import annotations

import socket
import time
from typing import Any


def perform(request: dict[str, Any]) -> dict[str, Any]:
    """The first line that the meter at ``host`` and ``port`` says, and how long it took in milliseconds."""
    began = time.monotonic()
    try:
        with socket.create_connection((request["host"], request["port"]), timeout=request["timeout_s"]) as meter:
            said = meter.recv(200).decode("ascii", "backslashreplace")
    except TimeoutError:
        return {"error": "timeout"}
    except ConnectionRefusedError:
        return {"error": "refused"}
    return {"said": said, "delay_ms": (time.monotonic() - began) * 1000}
