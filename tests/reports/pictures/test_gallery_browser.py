"""The pictures in a real browser: seen in both languages, on a phone, in dark mode and on paper."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.html import write_report

webdriver = pytest.importorskip("selenium.webdriver")
if not shutil.which("chromium") or not shutil.which("chromedriver"):  # pragma: no cover
    pytest.skip("Chromium and its driver are not installed", allow_module_level=True)

pytestmark = pytest.mark.browser

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, "--window-size=1200,900", f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Any, make_gallery: Any, tmp_path: Path) -> Callable[..., Any]:
    def open_report(language: str = "en", **more: Any) -> Any:
        out = tmp_path / "report.html"
        write_report(make_gallery(**more), out, language)
        browser.get(out.as_uri())
        return browser

    return open_report


def text(browser: Any, selector: str) -> str:
    return str(browser.find_element("css selector", selector).text)


def outside(browser: Any, selector: str) -> list[str]:
    """The texts of the drawings that do not lie within their drawing, as wide as their letters really are."""
    script = """
      return [...document.querySelectorAll(arguments[0])].flatMap((svg) => {
        const box = svg.getBoundingClientRect();
        return [...svg.querySelectorAll("text")].filter((text) => {
          const own = text.getBoundingClientRect();
          return own.width && (own.left < box.left - 8 || own.right > box.right + 8 || own.bottom > box.bottom + 8);
        }).map((text) => text.textContent);
      });"""
    return list(browser.execute_script(script, selector))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_pictures_fit_and_nothing_runs_out_of_the_page(opened: Any, language: str, width: int) -> None:
    browser = opened(language)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert outside(browser, ".chart.bars, .chart.curved") == []
        assert browser.get_log("browser") == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_contents_lead_to_every_pillar(opened: Any) -> None:
    browser = opened()
    links = browser.find_elements("css selector", ".contents a")
    assert [link.text for link in links] == [
        "Network", "5G", "Industrial PON", "TSN", "IPv6", "Security", "Compute", "Data",
    ]  # fmt: skip
    for link in links:
        link.click()
        target = link.get_attribute("href").partition("#")[2]
        assert link.text in text(browser, f"#{target} .pillar-head")
        browser.execute_script("window.scrollTo(0, 0)")


def test_a_failing_cell_is_told_by_mark_word_and_note(opened: Any) -> None:
    browser = opened()
    failing = browser.find_elements("css selector", "[id='SEC-DOM'] .matrix td.fail")
    assert len(failing) == 2
    assert all("failed" in cell.text and cell.find_element("css selector", "svg.mark.fail") for cell in failing)
    assert "edge-gw tcp/80 IPv6" in failing[1].text
    assert len(browser.find_elements("css selector", "[id='SEC-DOM'] .matrix td.none")) == 5


def test_a_wide_table_keeps_its_words_for_those_who_do_not_see_it(opened: Any) -> None:
    browser = opened()
    cell = browser.find_element("css selector", "[id='NET-V6-SUP'] .matrix.wide td.fail")
    assert cell.get_attribute("title") == "expected on, is off"
    assert "failed" in cell.get_attribute("textContent")
    assert "未通过" in cell.get_attribute("textContent")
    assert "37 objects and 7 checks" in text(browser, "[id='NET-V6-SUP'] .picture")


def test_the_summary_is_filtered_and_sorted_within_its_pillars(opened: Any) -> None:
    browser = opened()
    browser.find_element("css selector", ".chips [data-verdict=fail]").click()
    heads = [row.text.split("\n")[0] for row in browser.find_elements("css selector", ".summary .group")]
    assert [head.split(" 1")[0].strip() for head in heads if head] == [
        "5G",
        "Industrial PON",
        "TSN",
        "IPv6",
        "Security",
    ]
    browser.find_element("css selector", ".chips [data-verdict='']").click()
    browser.find_element("css selector", "[data-sort='0']").click()
    bodies = browser.find_elements("css selector", ".summary tbody")
    assert len(bodies) == 8
    assert "group" in bodies[3].find_elements("css selector", "tr")[0].get_attribute("class")
    assert bodies[3].find_elements("css selector", "tr")[1].text.startswith("fail")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_marks_of_failure_stand_out_in_either_scheme(opened: Any, scheme: str) -> None:
    browser = opened()
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        stroke = "return getComputedStyle(document.querySelector('.chart.bars .cross')).stroke"
        paper = "return getComputedStyle(document.documentElement).backgroundColor"
        assert browser.execute_script(stroke) != browser.execute_script(paper)
        assert len(browser.get_screenshot_as_png()) > 10_000
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_pictures_are_printed_within_the_page(opened: Any) -> None:
    browser = opened("zh")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    size = {"width": 673, "height": 950, "deviceScaleFactor": 1, "mobile": False}  # A4 less the margins, in CSS pixels
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        drawn = "document.querySelectorAll('.picture table, .picture svg.chart')"
        ends = f"return [...{drawn}].map((it) => it.getBoundingClientRect().right)"
        assert max(browser.execute_script(ends)) <= 673
        assert outside(browser, ".chart.bars, .chart.curved") == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_hostile_names_stay_text(opened: Any) -> None:
    browser = opened(hostile="\"'><img src=x onerror=alert(1)><script>alert(1)</script>")
    assert browser.get_log("browser") == []
