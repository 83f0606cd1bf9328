"""How long the HTML report of a large plant takes to make, and how fast a browser opens and filters it.

Run it with ``python benchmarks/report_html.py [--endpoints 20000] [--rounds 5] [--directory DIR]``. The bundle is
really sealed, of made-up answers to the echoes of each terminal, of which one in twenty is silent. The browser is
Chromium, headless, on the file itself. Opening ends when the first rows of the register are painted; a filter ends when
the frame with its result is.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

from fixtures.plant.dump import dump_plant
from fixtures.plant.model import Plant
from profiles.loader import dump
from profiles.loader import load_profile
from profiles.observation import Observation
from reports.bundle import Bundle
from reports.seal import seal
from reports.store import EvidenceStore

ATTEMPTS = 5  #: in each window, at the first address
WINDOWS = 3
SILENT = 20  #: one terminal of so many
ZONES = 12
BATCH = 10_000
CLASSES = "ESPX"
NAMES = ("数控机床", "温度传感器", "操作平板", "标签打印机")
TECHNOLOGIES = ("ethernet", "wifi", "5g", "pon")
START_NS = 1_800_000_000_000_000_000
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1200,900")

#: Runs a step and answers with the milliseconds until the frame after next begins: what it changed is painted by then.
PAINTED = """
const done = arguments[arguments.length - 1];
const start = performance.now();
(() => { %s })();
requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
"""
TYPE = """
const box = document.querySelector("[data-register] [data-search]");
box.value = "%s"; box.dispatchEvent(new Event("input"));
"""
CHOOSE = """
const facet = document.querySelector("[data-facet=%s]");
facet.value = "%s"; facet.dispatchEvent(new Event("change"));
"""
CLICK = """document.querySelector("%s").click();"""
STEPS = {
    "first search, which reads every object": TYPE % "打印机 198.18.7",
    "further search": TYPE % "机床 1999",
    "search that finds nothing": TYPE % "nowhere",
    "search emptied": TYPE % "",
    "by zone": CHOOSE % ("zone", "3"),
    "by zone and requirement": CHOOSE % ("item", "0"),
    "filters cleared": CLICK % "[data-reset]",
    "by state": CLICK % "[data-state='0']",
    "all states": CLICK % "[data-state='']",
    "sorted by id, for the first time": CLICK % "[data-register] [data-sort=id]",
    "last page": CLICK % "[data-register] [data-step=last]",
    "other language": CLICK % "[data-choose=en]",
}


def plant(endpoints: int) -> Plant:
    """So many terminals in :data:`ZONES` zones."""
    zones = [{"id": f"cell-{index:02}", "name": f"{index + 1} 号车间"} for index in range(ZONES)]
    areas = [
        {"id": f"line-{index:02}", "name": f"{index + 1} 号产线", "classes": ["E"], "zone": f"cell-{index:02}"}
        for index in range(ZONES)
    ]
    return Plant.model_validate(
        {
            "plant": f"基准工厂 {endpoints}",
            "zones": zones,
            "areas": areas,
            "endpoints": [
                {
                    "id": f"asset-{index:05}",
                    "name": f"{NAMES[index % 4]} {index}",
                    "class": CLASSES[index % 4],
                    "technology": TECHNOLOGIES[index // 4 % 4],
                    "zone": f"cell-{index % ZONES:02}",
                    "area": f"line-{index % ZONES:02}",
                    "addresses": [f"198.18.{index // 250}.{index % 250 + 1}"],
                }
                for index in range(endpoints)
            ],
            "vantages": [{"id": "jump", "where": "local", "measures": [zone["id"] for zone in zones]}],
        }
    )


def observations(plant: Plant) -> Iterator[Observation]:
    """Echoes to every terminal; one terminal in :data:`SILENT` answers none."""
    number = 0
    for index, endpoint in enumerate(plant.endpoints):
        silent = index % SILENT == 0
        for window in range(WINDOWS):
            for attempt in range(ATTEMPTS):
                number += 1
                yield Observation(
                    "icmp-echo", "jump", endpoint.id, str(endpoint.addresses[0]), "round-trip-delay",
                    None if silent else 0.3 + number % 97 / 100, "ms", "timeout" if silent else None,
                    window, attempt, START_NS + number * 1_000, number * 1_000, "",
                )  # fmt: skip


def make_bundle(directory: Path, endpoints: int) -> Bundle:
    """Seal a campaign of the terminals' reachability."""
    shop = plant(endpoints)
    profile = load_profile("shanghai-617-2022")
    with EvidenceStore.create(
        directory / "evidence",
        campaign=str(uuid.uuid4()),
        plant_yaml=dump_plant(shop),
        profile_yamls={profile.profile: dump(profile)},
        facts={"plantproof": "0", "python": "3.11", "host": "bench"},
    ) as store:
        rows = observations(shop)
        while batch := list(islice(rows, BATCH)):
            store.append(batch)
        return seal(store, directory / "bundle")


def make_report(bundle: Path, out: Path) -> tuple[float, float]:
    """Write the report; return how many seconds that took and how many MiB the process needed."""
    from reports.html import write_report

    start = time.perf_counter()
    write_report(Bundle.open(bundle), out)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured_making(bundle: Path, out: Path, pictures: str) -> tuple[float, float]:
    """:func:`make_report` in a fresh process, ``pictures`` being ``yes`` or ``no``."""
    os.environ["PLANTPROOF_PICTURES"] = pictures
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(make_report, bundle, out).result()


def opened(report: Path, profile: str) -> Iterator[tuple[str, float]]:
    """What one browser took: to open the report and for each of :data:`STEPS`, in milliseconds, and memory in MiB."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.get("data:text/html,ready")
        start = time.perf_counter()
        driver.get(report.as_uri())
        driver.execute_async_script(PAINTED % "")
        yield "open", 1000 * (time.perf_counter() - start)
        assert driver.find_elements("css selector", "#register tbody tr")
        for name, step in STEPS.items():
            yield name, driver.execute_async_script(PAINTED % step)
        driver.execute_cdp_cmd("Performance.enable", {})
        metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        yield "memory", next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize") / 2**20
    finally:
        driver.quit()


def measure(directory: Path, endpoints: int, rounds: int) -> None:
    """Print what making, opening and filtering take."""
    start = time.perf_counter()
    bundle = make_bundle(directory, endpoints)
    print(f"bundle of {endpoints:,} terminals made in {time.perf_counter() - start:.1f} s")
    report = directory / "report.html"
    for pictures, words in (("no", "without"), ("yes", "with")):
        seconds, memory = measured_making(bundle.path, report, pictures)
        size = report.stat().st_size / 1e6
        print(f"report {words} pictures: {seconds:.1f} s, peak memory {memory:.0f} MiB, {size:.1f} MB")
    print()
    found: dict[str, list[float]] = {}
    for number in range(rounds):
        for name, value in opened(report, str(directory / f"profile-{number}")):
            found.setdefault(name, []).append(value)
    print("| step | median | slowest |\n|---|---|---|")
    for name, values in found.items():
        unit = "MiB" if name == "memory" else "ms"
        print(f"| {name} | {statistics.median(values):.0f} {unit} | {max(values):.0f} {unit} |")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", type=Path, help="where to write; the default is a temporary folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.directory) as directory:
        measure(Path(directory), asked.endpoints, asked.rounds)


if __name__ == "__main__":
    main()
