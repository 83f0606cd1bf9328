"""The report in a real browser: opened from disk, without a network, looked at, switched, filtered, paged, printed."""

from __future__ import annotations

import base64
import csv
import json
import re
import shutil
from collections.abc import Callable
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from reports.html import write_report

webdriver = pytest.importorskip("selenium.webdriver")
if not shutil.which("chromium") or not shutil.which("chromedriver"):  # pragma: no cover
    pytest.skip("Chromium and its driver are not installed", allow_module_level=True)

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--window-size=1200,900",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Any, make_example: Any, tmp_path: Path) -> Callable[..., Any]:
    def open_report(language: str = "zh", **more: Any) -> Any:
        out = tmp_path / "report.html"
        write_report(make_example(**more), out, language)
        browser.get_log("performance")
        browser.get(out.as_uri())
        return browser

    return open_report


def visible_text(browser: Any) -> str:
    return str(browser.find_element("tag name", "body").text)


def rows(browser: Any, table: str) -> list[str]:
    found = browser.find_elements("css selector", f"{table} tbody tr:not(.group)")
    return [row.text for row in found if row.is_displayed()]


def test_it_opens_from_disk_without_errors_or_requests(opened: Any) -> None:
    browser = opened(endpoints=600, failing=140, hostile="\"'><img src=x onerror=alert(1)><script>alert(1)</script>")
    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [one["params"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    # The browser's own first page, which it may still be loading, asks for things of its own.
    asked = [one["request"]["url"] for one in sent if one["documentURL"].startswith("file:")]
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert sum(url.startswith("file:") for url in asked) == 1


def test_the_language_can_be_switched(opened: Any) -> None:
    browser = opened()
    assert "不符合" in visible_text(browser)
    assert "Nonconformant" not in visible_text(browser)
    browser.find_element("css selector", "[data-choose=en]").click()
    assert "Nonconformant" in visible_text(browser)
    assert "不符合" not in visible_text(browser)
    assert browser.find_element("tag name", "html").get_attribute("lang") == "en"
    assert "conformance report" in browser.title
    search = browser.find_element("css selector", "#summary [data-search]")
    assert search.get_attribute("placeholder") == "Find by id or name"


def test_it_opens_in_english_when_asked(opened: Any) -> None:
    assert "Nonconformant" in visible_text(opened("en"))


def test_the_summary_is_filtered_by_verdict_and_by_words(opened: Any) -> None:
    browser = opened("en")
    assert len(rows(browser, ".summary")) == 8
    browser.find_element("css selector", ".chips [data-verdict=fail]").click()
    assert [row.split("\n")[1] for row in rows(browser, ".summary")] == ["NET-RCH-E"]
    browser.find_element("css selector", ".chips [data-verdict='']").click()
    browser.find_element("css selector", "#summary [data-search]").send_keys("round-trip")
    assert len(rows(browser, ".summary")) == 1
    browser.find_element("css selector", "#summary [data-search]").send_keys(" nowhere")
    assert rows(browser, ".summary") == []
    assert browser.find_element("css selector", "[data-empty]").is_displayed()


def test_the_summary_is_sorted_by_keyboard(opened: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    browser = opened("en")
    button = browser.find_element("css selector", "[data-sort='0']")
    button.send_keys(Keys.ENTER)
    assert rows(browser, ".summary")[0].startswith("fail")
    button.send_keys(Keys.ENTER)
    assert rows(browser, ".summary")[0].startswith("not applicable")
    assert browser.find_element("css selector", "th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_a_long_list_is_paged_and_searched(opened: Any) -> None:
    browser = opened("en", endpoints=1200, failing=250)
    table, pager = "#list-NET-RCH-E", "[data-pager=NET-RCH-E]"
    status = browser.find_element("css selector", f"{pager} [data-range]")
    assert (status.text, len(rows(browser, table))) == ("1–100 / 250", 100)
    before = rows(browser, table)
    browser.find_element("css selector", f"{pager} [data-step=next]").click()
    browser.find_element("css selector", f"{pager} [data-step=next]").click()
    assert (status.text, len(rows(browser, table))) == ("201–250 / 250", 50)
    assert browser.find_element("css selector", f"{pager} [data-step=next]").get_attribute("aria-disabled") == "true"
    browser.find_element("css selector", f"{pager} [data-search]").send_keys("e-00400")
    assert status.text == "1–1 / 1"
    browser.find_element("css selector", f"{pager} [data-search]").clear()
    browser.find_element("css selector", f"{pager} [data-search]").send_keys(" ")
    assert rows(browser, table) == before  # rows drawn by the script are those drawn before


def test_a_long_list_is_saved_as_csv(opened: Any, tmp_path: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    browser = opened("zh", endpoints=1200, failing=250, hostile='=HYPERLINK("x")')
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.find_element("css selector", "[data-save]").click()
    saved = tmp_path / "NET-RCH-E.csv"
    WebDriverWait(browser, 10).until(lambda _: saved.exists() and saved.stat().st_size > 1000)
    lines = saved.read_text("utf-8-sig").splitlines()
    assert len(lines) == 251
    assert lines[0].startswith('"对象","名称"')
    assert lines[1].startswith('"\'=HYPERLINK(""x"")e-00000"')
    assert "E 生产装备" in lines[1]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [1200, 390])
def test_nothing_runs_out_of_the_page(opened: Any, language: str, width: int) -> None:
    browser = opened(language, endpoints=600, failing=140, hostile="x" * 180)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
        assert len(browser.get_screenshot_as_png()) > 10_000
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_prints_on_a4_without_controls(opened: Any) -> None:
    browser = opened("en", endpoints=600, failing=140)
    pdf = base64.b64decode(browser.print_page())
    assert pdf.startswith(b"%PDF-")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        controls = browser.find_elements("css selector", ".tools, .controls")
        assert controls
        assert not any(control.is_displayed() for control in controls)
        assert browser.find_element("css selector", "#objects .paper").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_it_can_be_read_without_scripts(opened: Any) -> None:
    browser = opened()
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.refresh()
        assert "不符合" in visible_text(browser)
        assert "Nonconformant" not in visible_text(browser)
        assert not browser.find_element("css selector", ".tools").is_displayed()
        assert len(rows(browser, ".summary")) == 8
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def objects_shown(browser: Any) -> list[str]:
    return [
        row.find_element("css selector", ".id").text
        for row in browser.find_elements("css selector", "#register tbody tr")
    ]


def status_of(browser: Any) -> str:
    return str(browser.find_element("css selector", "[data-register] [data-range]").text)


def choose(browser: Any, facet: str, text: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(browser.find_element("css selector", f"[data-facet={facet}]")).select_by_visible_text(text)


def test_every_object_is_listed_and_what_needs_action_comes_first(opened: Any) -> None:
    browser = opened("en", endpoints=1200, failing=250)
    assert status_of(browser) == "1–100 / 1,203"
    first = browser.find_element("css selector", "#register tbody tr").text
    assert first.startswith("e-00000 机械手 0")
    assert "named by a failed requirement" in first
    assert "NET-RCH-E" in first
    assert browser.find_element("css selector", "#register").get_attribute("aria-rowcount") == "1204"
    browser.find_element("css selector", "[data-register] [data-step=last]").click()
    assert status_of(browser) == "1,201–1,203 / 1,203"
    rows_drawn = browser.find_elements("css selector", "#register tbody tr")
    assert [rows_drawn[0].get_attribute("aria-rowindex"), len(rows_drawn)] == ["1202", 3]


def test_objects_are_filtered_by_words_state_and_facets_together(opened: Any) -> None:
    browser = opened("en", endpoints=1200, failing=250)
    chips = {chip.text.rpartition(" ")[0]: chip for chip in browser.find_elements("css selector", "[data-state]")}
    chips["named by a failed requirement"].click()
    assert status_of(browser) == "1–100 / 250"
    choose(browser, "zone", "焊装一区")
    narrowed = int(status_of(browser).rpartition(" ")[2])
    assert 0 < narrowed < 250
    choose(browser, "technology", "Wi-Fi")
    choose(browser, "cls", "E production equipment")
    choose(browser, "item", "NET-RCH-E Access reachability of production equipment")
    box = browser.find_element("css selector", "[data-register] [data-search]")
    box.send_keys("198.18.0. 机械手")
    found = objects_shown(browser)
    assert found
    assert all(int(id[2:]) % 16 == 4 and int(id[2:]) % 3 == 0 for id in found)
    box.send_keys(" nowhere")
    assert objects_shown(browser) == []
    assert browser.find_element("css selector", "[data-register] [data-empty]").is_displayed()
    browser.find_element("css selector", "[data-reset]").click()
    assert status_of(browser) == "1–100 / 1,203"


def test_objects_are_found_by_what_was_found_of_them_in_either_language(opened: Any) -> None:
    browser = opened("en", endpoints=1200, failing=250)
    box = browser.find_element("css selector", "[data-register] [data-search]")
    box.send_keys("所有探测均无应答")
    counted = status_of(browser)
    box.clear()
    box.send_keys("no probe was answered")
    assert status_of(browser) == counted == "1–84 / 84"


def test_the_register_follows_the_language_and_keeps_its_filters(opened: Any) -> None:
    browser = opened("zh", endpoints=1200, failing=250)
    choose(browser, "cls", "E 生产装备")
    before = status_of(browser)
    browser.find_element("css selector", "[data-choose=en]").click()
    selected = browser.find_element("css selector", "[data-facet=cls]")
    shown = browser.execute_script("return arguments[0].selectedOptions[0].text", selected)
    assert (shown, status_of(browser)) == ("E production equipment", before)
    assert selected.get_attribute("aria-label") == "any class"


def test_what_became_of_every_requirement_is_told_on_demand(opened: Any) -> None:
    browser = opened("en", endpoints=40, failing=3)
    box = browser.find_element("css selector", "[data-register] [data-search]")
    box.send_keys("e-00000")
    row = browser.find_element("css selector", "#register tbody tr")
    assert row.find_elements("css selector", "details li") == []
    row.find_element("css selector", "summary").click()
    told = {
        one.text.partition(" ")[0]: one.text.partition(" ")[2]
        for one in row.find_elements("css selector", "details li")
    }
    assert told["NET-RCH-E"] == "named"
    assert told["NET-LAT-E"] == "not named"
    assert told["NET-DUMB"] == "not tested"


def test_the_register_works_by_keyboard_alone(opened: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    browser = opened("en", endpoints=1200, failing=250)
    browser.find_element("css selector", "[data-register] [data-search]").send_keys("cell-b-nothing", Keys.CONTROL, "a")
    browser.switch_to.active_element.send_keys(Keys.BACKSPACE)
    order = []
    for _ in range(12):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.switch_to.active_element
        order.append(active.get_attribute("data-facet") or active.get_attribute("data-step") or active.tag_name)
        if order[-1] == "next":
            break
    assert order == ["zone", "area", "cls", "technology", "layers", "item", "button", "first", "previous", "next"]
    for _ in range(30):
        browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert status_of(browser) == "1,201–1,203 / 1,203"
    assert browser.switch_to.active_element.get_attribute("data-step") == "next"  # the focus is not lost at the end
    sort = browser.find_element("css selector", "[data-register] [data-sort=id]")
    sort.send_keys(Keys.ENTER, Keys.ENTER)
    assert browser.find_element("css selector", "[data-register] th").get_attribute("aria-sort") == "descending"
    assert objects_shown(browser)[0] == "x-01199"


def test_hostile_names_stay_text_in_every_row(opened: Any) -> None:
    hostile = "\"'></script><img src=x onerror=alert(1)>\u202e{{7*7}}"
    browser = opened("en", endpoints=600, failing=140, hostile=hostile)
    assert browser.get_log("browser") == []
    drawn = browser.find_element("css selector", "#register tbody tr").text
    assert "</script><img src=x onerror=alert(1)>‹U+202E›{{7*7}}" in drawn
    assert browser.find_elements("css selector", "#register img, option img") == []


def test_paper_has_every_failing_object_and_the_screen_is_as_before(opened: Any) -> None:
    from pypdf import PdfReader

    browser = opened("en", endpoints=1200, failing=250)
    paper = PdfReader(BytesIO(base64.b64decode(browser.print_page())))
    text = re.sub(r"\s", "", "".join(page.extract_text() for page in paper.pages))
    assert {f"e-{4 * index:05d}" for index in range(250)} <= set(re.findall(r"e-\d{5}", text))
    assert "Onpaperonlythetotalsaregiven" in text
    assert "of250arelistedhere" not in text
    assert len(rows(browser, "#list-NET-RCH-E")) == 100


def test_the_register_is_saved_as_csv_without_formulas(opened: Any, tmp_path: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    browser = opened("en", endpoints=600, failing=140, hostile="=cmd|' /C calc'!A0")
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.find_element("css selector", "[data-register] [data-save]").click()
    saved = tmp_path / "objects.csv"
    WebDriverWait(browser, 10).until(lambda _: saved.exists() and saved.stat().st_size > 1000)
    lines = list(csv.reader(saved.read_text("utf-8-sig").splitlines()))
    assert len(lines) == 604
    assert lines[0][0] == "Object"
    assert not [cell for line in lines for cell in line if cell[:1] in "=+-@" and cell]
    assert lines[1][7] == "named by a failed requirement"
