"""Run in a process of its own: a pytest session that ends each test as a campaign did, and pytest-html's page of it.

Reads a JSON file that :mod:`reports.pytest_html` wrote, in which every cell is markup already.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest


class Replayed(pytest.Item):
    """One planned item, which ends as it did."""

    row: dict[str, Any]

    def setup(self) -> None:
        """Fail here if the instrument failed: pytest calls that an error."""
        if self.row["outcome"] == "error":
            pytest.fail(self.row["why"], pytrace=False)

    def runtest(self) -> None:
        """End as the campaign did."""
        if self.row["outcome"] == "failed":
            pytest.fail(self.row["why"], pytrace=False)
        if self.row["outcome"] == "skipped":
            pytest.skip(self.row["why"])

    def reportinfo(self) -> tuple[str, int | None, str]:
        """Where it comes from: no file."""
        return "", None, self.name


class Replay:
    """The session's plugin: its tests, and what stands on the page."""

    def __init__(self, replay: dict[str, Any]) -> None:
        self._replay = replay

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Take the rows as tests; no file is looked at."""
        for number, row in enumerate(self._replay["rows"]):
            item = Replayed.from_parent(session, name=str(number), nodeid=str(number))
            item.row = row
            session.items.append(item)
        session.testscollected = len(session.items)
        session.config.hook.pytest_collection_finish(session=session)
        return True

    @pytest.hookimpl(optionalhook=True)
    def pytest_metadata(self, metadata: dict[str, str]) -> None:
        """Tell the campaign's environment and not this process's."""
        metadata.clear()
        metadata.update(self._replay["environment"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:  # noqa: ANN401 - pytest-html has no types
        """Name the page and its outcomes."""
        report.title = self._replay["title"]
        for name, label in self._replay["labels"].items():
            report.outcomes[name]["label"] = label

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Say what the campaign amounts to."""
        prefix.extend(self._replay["summary"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Add our columns; there are no links."""
        result, test, time = self._replay["head"]
        cells[:] = [result, test, *self._replay["columns"], time]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Fill our columns; what pytest-html calls the result stays, by which it filters."""
        row = self._row(report)
        cells[:] = [cells[0], row["test"], *row["cells"], row["time"]]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: pytest.TestReport, data: list[str]) -> None:
        """Tell the reason and the offenders instead of output that there is none of."""
        data[:] = [self._row(report)["log"]]

    def _row(self, report: pytest.TestReport) -> dict[str, Any]:
        row: dict[str, Any] = self._replay["rows"][int(report.nodeid)]
        return row


def replay(given: Path, made: Path) -> None:
    """Replay the session described in ``given`` and leave pytest-html's page at ``made``."""
    options = ["-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin", "-p", "no:cacheprovider", "-q"]
    settings = ["-c", str(given.with_name("pytest.ini")), "--rootdir", str(given.parent)]
    given.with_name("pytest.ini").write_text("[pytest]\nrender_collapsed = passed,skipped\n", encoding="utf-8")
    plugin = Replay(json.loads(given.read_text("utf-8")))
    pytest.main([*options, *settings, f"--html={made}", "--self-contained-html", "--css=page.css"], plugins=[plugin])


if __name__ == "__main__":
    replay(Path(sys.argv[1]), Path(sys.argv[2]))
