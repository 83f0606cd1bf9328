"""Work that hurts whoever does it, for the tests of the pool; imported by its processes."""

from __future__ import annotations

import os
import signal
import time


def work(task: str) -> str:
    """Do what the task says."""
    if task == "raise":
        raise RuntimeError(f"cannot {task}")
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "leave":
        os._exit(3)
    if task == "hang":
        time.sleep(3600)
    if task == "grow":
        return str(len(bytearray(1 << 31)))
    return task.upper()
