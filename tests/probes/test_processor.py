"""Who had the processors meanwhile: arithmetic on recorded counters, and control groups in either version."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes import processor
from probes.processor import Clock
from probes.processor import between
from probes.processor import busy

STAT = """cpu  10 20 30 1000 5 6 7 8 9 9
cpu0 100 0 50 1000 5 10 40 30 9 0
cpu1 1 1 1 1 1 1 1 1 1 1
cpu10 7 7 7 7
intr 1 2 3
"""


def test_the_processors_in_use_are_added_up() -> None:
    ticks = processor.TICKS_PER_S
    assert busy(STAT, {0}) == (200 / ticks, 30 / ticks)
    assert busy(STAT, {0, 1}) == (205 / ticks, 31 / ticks)
    assert busy(STAT, {10}) == (21 / ticks, 0)  # an old kernel tells less
    assert busy(STAT, {7}) == (0, 0)


START = Clock(wall_s=100, own_s=5, busy_s=50, stolen_s=1, throttled_s=3)


@pytest.mark.parametrize(
    ("own", "others", "stolen", "throttled", "taken"),
    [
        (2.0, 0.0, 0.0, 0.0, 0.0),  # all of both processors
        (1.0, 1.0, 0.0, 0.0, 0.5),  # others had one of them
        (2.0, 2.0, 0.0, 0.0, 0.0),  # others had further processors
        (1.0, 0.0, 0.0, 0.0, 0.0),  # it waited for itself
        (1.0, 0.0, 0.0, 1.0, 0.0),  # a quota
        (1.0, 1.0, 0.0, 1.0, 0.0),  # a quota, and others on processors that it could not use anyway
        (0.5, 1.0, 0.0, 1.0, 0.25),  # a quota, and others who took of what it left
        (1.8, 0.0, 0.2, 0.0, 0.1),  # the hypervisor
        (2.0, 0.0, 9.0, 0.0, 1.0),  # never more than all
        (2.0, -3.0, -1.0, -1.0, 0.0),  # counters that went backwards
    ],
)
def test_only_what_others_could_have_taken_is_taken(
    own: float, others: float, stolen: float, throttled: float, taken: float
) -> None:
    end = Clock(101, 5 + own, 50 + own + others, 1 + stolen, 3 + throttled)
    found = between(START, end, threads=2)
    assert found.taken == pytest.approx(taken)
    assert (found.wall_s, found.got_s) == (1, pytest.approx(own))


def test_no_time_is_no_share() -> None:
    assert between(START, START, 2).taken == 0


def test_this_process_is_seen_to_work() -> None:
    before = Clock.now()
    while Clock.now().own_s < before.own_s + 0.05:
        sum(range(1000))
    found = between(before, Clock.now(), 1)
    assert found.got_s >= 0.05
    assert found.wall_s > 0


@pytest.mark.parametrize("version", [1, 2])
def test_quota_throttling_and_memory_of_either_version(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        1: {
            "cpu/plant/node/cpu.cfs_quota_us": "50000",
            "cpu/plant/node/cpu.cfs_period_us": "100000",
            "cpu/plant/cpu.cfs_quota_us": "-1",
            "cpu/plant/cpu.cfs_period_us": "100000",
            "cpu/plant/node/cpu.stat": "nr_periods 9\nthrottled_time 2500000000\n",
            "memory/plant/memory.limit_in_bytes": "1000",
            "memory/plant/memory.usage_in_bytes": "400",
        },
        2: {
            "plant/node/cpu.max": "50000 100000",
            "plant/cpu.max": "max 100000",
            "plant/node/cpu.stat": "usage_usec 7\nthrottled_usec 2500000\n",
            "plant/memory.max": "1000",
            "plant/memory.current": "400",
        },
    }[version]
    for name, text in files.items():
        tmp_path.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        tmp_path.joinpath(name).write_text(text + "\n", "ascii")
    groups = {1: "4:memory:/plant\n1:cpu:/plant/node\n0::/\n", 2: "0::/plant/node\n"}[version]
    honest = processor._read
    monkeypatch.setattr(processor, "CGROUPS", tmp_path)
    monkeypatch.setattr(processor, "_read", lambda path: groups if path == Path("/proc/self/cgroup") else honest(path))
    assert processor.quota_cores() == 0.5
    assert processor._throttled_s() == 2.5
    assert processor.memory_bytes() == 600


def test_caches_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cpu, shared in ((0, "0-1"), (1, "0-1"), (2, "2-3")):
        for index, (level, size, of) in enumerate([("1", "32K", str(cpu)), ("3", "16M", shared)]):
            folder = tmp_path / f"cpu{cpu}" / "cache" / f"index{index}"
            folder.mkdir(parents=True)
            for name, text in (("level", level), ("size", size), ("shared_cpu_list", of)):
                (folder / name).write_text(text + "\n", "ascii")
    monkeypatch.setattr(processor, "CPUS", tmp_path)
    assert processor.cache_bytes({0, 1}) == 16 << 20
    assert processor.cache_bytes({0, 1, 2}) == 32 << 20
    assert processor.cache_bytes({9}) is None


def test_it_can_be_read_here() -> None:
    assert processor.memory_bytes() > 1 << 20
    quota = processor.quota_cores()
    assert quota is None or quota > 0
