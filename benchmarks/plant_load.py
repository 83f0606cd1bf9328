"""Loading a plant of 20,000 endpoints: inline YAML in both styles, CSV and XLSX; then writing it, and planning on it.

Each load runs in a process of its own, so that its peak memory is its own. Limits: 3 s and 300 MB for each.
"""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from profiles.requirement import Profile

ENDPOINTS = 20_000
ROUNDS = 5
LIMIT_S = 3.0
LIMIT_MB = 300.0

_ZONES = [f"cell-{letter}" for letter in "abcdefgh"]
_FRAME = """\
plant: benchmark
zones:
{zones}
areas: [{{id: hall, classes: [E, P, S, X], zone: cell-a}}]
vantages: [{{id: here, where: local, measures: [{names}]}}]
"""
_HEADER = ["编号", "名称", "类别", "环节", "接入技术", "安全域", "区域", "IPv4 地址", "IPv6 地址", "服务"]
_CLASSES = {"E": "生产装备", "P": "作业人员", "S": "感知设备", "X": "其他辅助终端"}


def main() -> int:
    """Print the table; 1 if a limit is exceeded."""
    print(f"{ENDPOINTS:,} endpoints, two addresses and services each; fastest of {ROUNDS} processes, with imports.\n")
    print("| source | file MB | load s | of it CPU s | peak MB | dump s | plan s | cases |")
    print("|---|---|---|---|---|---|---|---|")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, write in _SOURCES.items():
            size_mb = write(Path(folder)) / 1e6
            rounds = [_measure(Path(folder) / "plant.yaml") for _ in range(ROUNDS)]
            best = {key: min(it[key] for it in rounds) for key in rounds[0]}
            print(
                f"| {name} | {size_mb:.1f} | {best['load_s']:.2f} | {best['cpu_s']:.2f} | {best['peak_mb']:.0f} "
                f"| {best['dump_s']:.2f} | {best['plan_s']:.2f} | {best['cases']:.0f} |"
            )
            failed |= best["load_s"] > LIMIT_S or best["peak_mb"] > LIMIT_MB
    return int(failed)


def _measure(plant: Path) -> dict[str, float]:
    """One load in a fresh process."""
    command = [sys.executable, __file__, "--load", str(plant)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _load(file: Path) -> dict[str, float]:
    """Load, and then write and plan; the peak is taken after the load. Imports are counted in."""
    start = time.perf_counter()
    from fixtures.plant.loader import load_plant  # here, so that importing is measured

    plant = load_plant(file)
    loaded, cpu_s = time.perf_counter(), time.process_time()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    assert len(plant.endpoints) == ENDPOINTS

    from fixtures.plant.dump import dump_plant
    from fixtures.scoping import plan

    profile = _profile()
    ready = time.perf_counter()
    dump_plant(plant)
    dumped = time.perf_counter()
    cases = len(plan(plant, [profile]))
    planned = time.perf_counter()
    return {
        "load_s": loaded - start,
        "cpu_s": cpu_s,
        "peak_mb": peak_mb,
        "dump_s": dumped - ready,
        "plan_s": planned - dumped,
        "cases": cases,
    }


def _profile() -> Profile:
    """Five requirements, each broken down in every dimension."""
    from profiles.requirement import Profile

    text = {"zh": "文", "en": "text"}
    source = {"standard": "none", "clause": "-", "provenance": "project", "verified": False}
    common = {
        "title": text,
        "pillar": "network",
        "indicator": "access-reachability",
        "rule": "R0",
        "source": source,
        "remedy": text,
        "breakdown": ["class", "segment", "technology", "zone", "area"],
    }
    scopes = [["E"], ["P"], ["S"], ["X"], ["P", "S", "X"]]
    asked = [common | {"id": f"R{number}", "scope": {"classes": it}} for number, it in enumerate(scopes)]
    values = {"profile": "benchmark", "version": "1", "title": text, "description": text, "requirements": asked}
    return Profile.model_validate(values)


def _rows() -> Iterator[list[str]]:
    """The register, as a Chinese table would have it."""
    for n in range(ENDPOINTS):
        zone = n % len(_ZONES)
        within = n // len(_ZONES) + 1
        v4 = f"198.18.{zone * 16 + within // 250}.{within % 250 + 1}"
        v6 = f"2001:db8:{zone:x}::{within:x}"
        cls = "EPSX"[n % 4]
        name = f"{n} 号机台"
        services = "tcp/502 tcp/443"
        yield [f"A-{n:05}", name, _CLASSES[cls], "生产", "5G", _ZONES[zone], "hall", v4, v6, services]


def _frame(folder: Path, rest: str) -> int:
    zones = "\n".join(
        f'  - {{id: {name}, networks: [198.18.{n * 16}.0/20, "2001:db8:{n:x}::/48"]}}' for n, name in enumerate(_ZONES)
    )
    text = _FRAME.format(zones=zones, names=", ".join(_ZONES)) + rest
    return (folder / "plant.yaml").write_text(text, "utf-8")


def _endpoints() -> Iterator[dict[str, object]]:
    classes = {word: cls for cls, word in _CLASSES.items()}
    for id, name, cls, _, _, zone, area, v4, v6, services in _rows():
        endpoint = {"id": id, "name": name, "class": classes[cls], "segment": "production", "technology": "5g"}
        yield {**endpoint, "zone": zone, "area": area, "addresses": [v4, v6], "services": services.split()}


def _write_flow(folder: Path) -> int:
    lines = (f"  - {json.dumps(endpoint, ensure_ascii=False)}\n" for endpoint in _endpoints())
    return _frame(folder, "endpoints:\n" + "".join(lines))


def _write_block(folder: Path) -> int:
    def block(endpoint: dict[str, object]) -> str:
        lines = []
        for key, value in endpoint.items():
            lines.append(f"{key}:" if isinstance(value, list) else f"{key}: {value}")
            lines += [f"  - {it}" for it in value] if isinstance(value, list) else []
        return "  - " + "\n    ".join(lines) + "\n"

    return _frame(folder, "endpoints:\n" + "".join(map(block, _endpoints())))


def _write_csv(folder: Path) -> int:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([_HEADER, *_rows()])
    _frame(folder, "endpoint_files: [register.csv]\n")
    return (folder / "register.csv").write_bytes(stream.getvalue().encode("gb18030"))


def _write_xlsx(folder: Path) -> int:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("register")
    for row in [_HEADER, *_rows()]:
        sheet.append(row)
    book.save(folder / "register.xlsx")
    _frame(folder, "endpoint_files: [register.xlsx]\n")
    return (folder / "register.xlsx").stat().st_size


_SOURCES: dict[str, Callable[[Path], int]] = {
    "YAML, block style": _write_block,
    "YAML, flow style": _write_flow,
    "CSV, GB 18030": _write_csv,
    "XLSX": _write_xlsx,
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--load"]:
        print(json.dumps(_load(Path(sys.argv[2]))))
    else:
        sys.exit(main())
