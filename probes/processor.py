"""Who had the processors meanwhile: this process, others, the hypervisor, or nobody because of a quota.

A benchmark's figure is the node's only if nobody else used what was measured. A quota (cgroup) is no disturbance: it is
what the node has. Sources: proc_stat(5), the kernel's documentation of cgroup v2 (cpu.stat, cpu.max, memory.max) and v1
(cpu.stat, cpu.cfs_quota_us, memory.limit_in_bytes).

Standard library only: this module travels to vantage points. It reads, and sends nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
CGROUPS = Path("/sys/fs/cgroup")
CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class Clock:
    """All counters at one moment, in seconds."""

    wall_s: float
    own_s: float  #: processor time of this process, all its threads
    busy_s: float  #: of everybody, on the processors that this process may use
    stolen_s: float  #: taken from them by the hypervisor
    throttled_s: float  #: that the quota kept from this process's group, summed over processors

    @classmethod
    def now(cls) -> Clock:
        """Read them."""
        busy_s, stolen_s = busy(Path("/proc/stat").read_text("ascii"), os.sched_getaffinity(0))
        return cls(time.monotonic(), time.process_time(), busy_s, stolen_s, _throttled_s())


@dataclass(frozen=True, slots=True)
class Shares:
    """Where the time of so many processors went between two moments."""

    wall_s: float
    got_s: float  #: processor time that this process had
    taken: float  #: share that others or the hypervisor had although this process could have used it
    throttled_s: float


def between(before: Clock, after: Clock, threads: int) -> Shares:
    """Where the time of ``threads`` processors went, which this process was able to use all the time.

    What it did not get is lost to a quota, to others, or to nobody because it waited for itself; so no more than others
    really used can be taken by them.
    """
    wall_s = after.wall_s - before.wall_s
    got_s = after.own_s - before.own_s
    throttled_s = max(after.throttled_s - before.throttled_s, 0.0)
    stolen_s = max(after.stolen_s - before.stolen_s, 0.0)
    others_s = max(after.busy_s - before.busy_s - got_s, 0.0)
    wanted_s = threads * wall_s
    lost_s = max(wanted_s - got_s - throttled_s, 0.0)
    taken_s = min(min(lost_s, others_s) + stolen_s, wanted_s)
    return Shares(wall_s, got_s, taken_s / wanted_s if wanted_s > 0 else 0.0, throttled_s)


def busy(stat: str, cpus: Collection[int]) -> tuple[float, float]:
    """Seconds in which ``cpus`` worked, and in which the hypervisor kept them from it, by the text of /proc/stat."""
    worked = stolen = 0
    for line in stat.splitlines():
        name, *fields = line.split()
        if name[:3] == "cpu" and name[3:].isdigit() and int(name[3:]) in cpus:
            padded = [*map(int, fields), *[0] * 8]
            user, nice, system, _idle, _iowait, irq, softirq, steal = padded[:8]
            worked += user + nice + system + irq + softirq
            stolen += steal
    return worked / TICKS_PER_S, stolen / TICKS_PER_S


def quota_cores() -> float | None:
    """Processors' worth of time that a quota lets this process have; ``None`` if there is no quota to be seen."""
    found = []
    for folder in _groups("cpu"):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        quota, period = quota or _read(folder / "cpu.cfs_quota_us"), period or _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            found.append(int(quota) / int(period))
    return min(found, default=None)


def memory_bytes() -> int:
    """Memory that may still be used: what the kernel has, and what the groups' limits leave."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text("ascii").splitlines())
    left = [int(fields[1]) * 1024 for fields in lines if fields[0] == "MemAvailable:"]
    for folder in _groups("memory"):
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            texts = _read(folder / limit), _read(folder / used)
            if all(text.isdigit() for text in texts):
                left.append(max(int(texts[0]) - int(texts[1]), 0))
    return min(left, default=0)


def cache_bytes(cpus: Collection[int]) -> int | None:
    """Size of the last-level caches of ``cpus``, each counted once; ``None`` where the kernel does not tell."""
    caches: dict[tuple[int, str], int] = {}
    for cpu in cpus:
        for index in sorted((CPUS / f"cpu{cpu}" / "cache").glob("index*")):
            level, size = _read(index / "level"), _read(index / "size")
            if level.isdigit() and size[:-1].isdigit() and size[-1:] in "KM":
                factor = 1024 if size[-1] == "K" else 1 << 20
                caches[int(level), _read(index / "shared_cpu_list")] = int(size[:-1]) * factor
    last = max((level for level, _ in caches), default=0)
    return sum(size for (level, _), size in caches.items() if level == last) or None


def _throttled_s() -> float:
    """Of the group that was throttled most, of this process's own and those above it: they are throttled together."""
    units = {"throttled_usec": 1e-6, "throttled_time": 1e-9}
    found = [0.0]
    for folder in _groups("cpu"):
        fields = (line.split() for line in _read(folder / "cpu.stat").splitlines())
        found += [int(value) * units[name] for name, value in fields if name in units]
    return max(found)


def _groups(controller: str) -> Iterator[Path]:
    """The control groups of this process and those above them, in either version; none where they cannot be seen."""
    root = _root()
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            mounts = dict.fromkeys((controllers, controller))
        elif not controllers:
            mounts = dict.fromkeys(("", "unified"))
        else:
            continue
        own = Path(path.lstrip("/"))
        yield from (root / mount / folder for mount in mounts for folder in (own, *own.parents))


def _root() -> Path:
    """Where the groups are mounted; `ip netns exec` hides them from what it starts, but not from who started it."""
    pid, place = os.getpid(), CGROUPS
    while pid:
        with suppress(OSError):
            if any(place.iterdir()):
                return place
        fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
        pid = int(fields[1]) if fields else 0
        place = Path(f"/proc/{pid}/root{CGROUPS}")
    return CGROUPS


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
