"""The campaign as pytest sees it: requirements become items, verdicts become outcomes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from rich.console import Console

from conformance.campaign import Campaign
from conformance.extensions import broken_suite
from conformance.extensions import check_extensions
from conformance.extensions import check_one_suite_each
from conformance.extensions import suites
from conformance.plugin import items
from conformance.plugin.baseline import Baseline
from conformance.plugin.baseline import deselect
from conformance.plugin.documents import Documents
from conformance.plugin.evidence import BUNDLE
from conformance.plugin.evidence import evidence_directory
from conformance.plugin.evidence import finish
from conformance.plugin.evidence import opened_store
from conformance.plugin.plan import PLAIN_WIDTH
from conformance.plugin.plan import print_plan
from conformance.plugin.progress import Watcher
from conformance.plugin.refusals import Foreseen
from conformance.plugin.refusals import foresee
from conformance.plugin.signing import CampaignSigning
from conformance.suite import MARKER
from conformance.suite import OPEN_MARKER
from conformance.suite import can_be_measured
from fixtures.plant.loader import load_plant
from fixtures.scoping import Case
from profiles.language import Texts
from profiles.language import choose_language
from profiles.language import current_language
from profiles.loader import load_profile
from profiles.problem import UserMistake
from profiles.verdict import ExitStatus
from profiles.verdict import Verdict
from profiles.verdict import exit_status
from reports.bundle import PARTICULARS
from reports.bundle import WAIVERS
from reports.bundle import Bundle
from reports.result import Campaign as CampaignRecord
from reports.result import Result
from reports.table import terminal_table
from reports.waivers import Waived
from reports.waivers import waived
from reports.wording import visible

_UNESCAPED_IDS = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support"
DEFAULT_PROFILE = "shanghai-617-2022"
_RESULT = pytest.StashKey[Result]()


class CampaignPlugin:
    """One campaign in one pytest session; registered when ``--plant`` is given."""

    def __init__(self, config: pytest.Config) -> None:
        options = config.option
        choose_language(options.plantproof_lang)
        # Zone and plant names are often Chinese: node ids show them as they are, in a checkout and elsewhere. And no
        # library's warning ends a campaign, whatever the ini file of the folder says.
        config._inicache |= {_UNESCAPED_IDS: True, "filterwarnings": ["default"]}  # noqa: SLF001 - there is no other way
        self.plan_only: bool = options.plan
        self.resume: bool = options.resume
        self.record: CampaignRecord | None = None
        self.watcher = Watcher()
        self._unsealed = ""
        self._interrupted = False
        self._broken: list[UserMistake] = []
        self._texts = Texts.of("conformance")
        try:
            check_extensions()
            self._suites = suites()
            config.args += map(str, self._suites)
            profiles = [load_profile(name) for name in options.profile or [DEFAULT_PROFILE]]
            self.campaign = Campaign(load_plant(options.plant), profiles)
            self._baseline = Baseline(options.baseline) if options.baseline else None
            given = {WAIVERS: options.waivers, PARTICULARS: options.particulars}
            self._documents = Documents(self.campaign.plant, [*self.campaign.cases.values()], given)
            self.directory = evidence_directory(options.evidence, self.campaign.plant.plant, resume=self.resume)
            self._signing = CampaignSigning(
                options.sign, options.sign_passphrase, options.tsa, plan_only=self.plan_only
            )
        except UserMistake as mistake:
            raise pytest.UsageError(mistake.text()) from None

    def pytest_report_header(self) -> str:
        """Say what is tested, against what, and where the evidence goes."""
        return self._texts.get(
            "campaign.started",
            plant=self.campaign.plant.plant,
            profiles=", ".join(profile.profile for profile in self.campaign.profiles),
            planned=len(self.campaign.cases),
            evidence="-" if self.plan_only else self.directory,
        )

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give each suite function the planned cases it measures, one item each."""
        if marker := metafunc.definition.get_closest_marker(MARKER):
            wanted = [case for case in self.campaign.cases.values() if can_be_measured(case)]
            cases = [case for case in wanted if case.requirement.indicator == marker.args[0]]
        elif metafunc.definition.get_closest_marker(OPEN_MARKER):
            cases = [case for case in self.campaign.cases.values() if not can_be_measured(case)]
        else:
            return
        plant = self.campaign.plant
        metafunc.parametrize(("case", "plant"), [(case, plant) for case in cases], ids=[case.id for case in cases])

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Note the package whose suite cannot be imported, instead of showing a traceback."""
        report = yield
        if report.failed and (found := broken_suite(collector.path, str(report.longrepr), self._suites)):
            self._broken.append(found)
            return pytest.CollectReport(report.nodeid, "passed", None, [])
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Drop the placeholder that pytest makes of a suite function without a case; ask all others what they want.

        Before anything is deselected, so that how something is measured does not depend on the selection.
        """
        deselect(config, items, [it for it in items if not _is_suite_item(it) or isinstance(_case(it), Case)])
        try:
            for broken in self._broken:
                raise broken
            check_one_suite_each(item for item in items if _is_suite_item(item))
            for item in filter(_is_suite_item, items):
                case = _case(item)
                self.campaign.consider(case, item.function(case=case, plant=self.campaign.plant))  # type: ignore[attr-defined]
        except UserMistake as mistake:
            items.clear()  # pytest goes on to the end of its collection
            raise pytest.UsageError(mistake.text()) from None
        if config.option.retest and self._baseline:
            left = [item for item in items if not _is_suite_item(item) or self._baseline.is_left(_case(item))]
            deselect(config, items, left)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take the selected items into the run."""
        for item in filter(_is_suite_item, session.items):
            self.campaign.enlist(_case(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Print the plan, or measure with the store and the vantage points open, and seal at the end."""
        if session.config.option.collectonly:
            return (yield)
        if self.plan_only:
            print_plan(self._console(session.config), self._plan(), self.campaign.permits, self._open_items())
            session.config.option.collectonly = True
            return (yield)
        with self.watcher.signals():
            self._open()
            try:
                return (yield)
            finally:
                self._seal()

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Measure: in the setup phase, so that a broken instrument is an error and not a failure."""
        if not _is_suite_item(item):
            return
        capture: Any = item.config.pluginmanager.getplugin("capturemanager")
        try:
            with capture.global_and_fixture_disabled():
                result = self.campaign.measure(_case(item), self.watcher)
        except UserMistake as mistake:  # evidence cannot be written: what is measured from now on leaves no proof
            pytest.exit(mistake.text(), returncode=ExitStatus.INCOMPLETE)
        if self.campaign.stopped(self.watcher):
            self._interrupted = True
            pytest.exit(self._texts.get("campaign.stopped"), returncode=ExitStatus.INTERRUPTED)
        item.stash[_RESULT] = result
        items.note_result(item, result)
        if result.verdict is Verdict.ERROR:
            items.settle(result)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Settle the verdict; the suite function itself has already said what it had to say."""
        if not _is_suite_item(pyfuncitem):
            return None
        items.settle(pyfuncitem.stash[_RESULT])
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Exit with the campaign's status; pytest's own 2 and 4 keep their meaning."""
        if session.config.option.collectonly:
            if self.plan_only and not any(one.priced.cost.packets for one in self._plan()):
                session.exitstatus = ExitStatus.INCOMPLETE
            return
        if exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR):
            return
        sound = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
        status = exit_status(self.record.outcome) if self.record is not None and sound else ExitStatus.INCOMPLETE
        if status is ExitStatus.CONFORMANT and exitstatus != pytest.ExitCode.OK:
            status = ExitStatus.INCOMPLETE  # something that is not a requirement failed, or nothing was run
        session.exitstatus = status

    def pytest_terminal_summary(self, config: pytest.Config) -> None:
        """Print the table of verdicts and where the proof lies."""
        console = self._console(config)
        if self._unsealed:
            console.print(self._unsealed, markup=False, highlight=False, soft_wrap=True)
        if self.record is None:
            return
        asked = {one.id: one for profile in self.campaign.profiles for one in profile.requirements}
        titles, pillars = {id: one.title for id, one in asked.items()}, {id: one.pillar for id, one in asked.items()}
        console.print(terminal_table(self.record.results, current_language(), titles, pillars, self._waived()))
        bundle = self.directory / BUNDLE
        if self._baseline:
            console.print(self._baseline.table(Bundle.open(bundle), current_language()))
        for line in self._signing.said(bundle):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        for remark in dict.fromkeys(self.campaign.remarks):
            console.print(visible(remark), style="yellow", markup=False, highlight=False, soft_wrap=True)
        said = "campaign.interrupted" if self._interrupted else "campaign.sealed"
        facts = {"bundle": bundle, "report": bundle / "report.html", "evidence": self.directory}
        console.print(self._texts.get(said, **facts), highlight=False, soft_wrap=True)

    def _waived(self) -> dict[str, tuple[Waived, ...]]:
        assert self.record is not None  # noqa: S101 - asked for after sealing
        return waived(self.record.results, Bundle.open(self.directory / BUNDLE).waivers, self.campaign.plant)

    def _open(self) -> None:
        """Open the store and the vantage points; a mistake ends the session before anything is sent."""
        try:
            self.campaign.open(
                lambda: opened_store(self.campaign, self.directory, resume=self.resume), resume=self.resume
            )
            self._documents.keep(self.campaign.store)
            if self._baseline:
                self._baseline.note(self.campaign.store)
        except UserMistake as mistake:
            self.campaign.close()
            raise pytest.UsageError(mistake.text()) from None

    def _seal(self) -> None:
        """Seal what is known, also after an interruption or a crash, and release everything.

        The vantage points first: while a large campaign is sealed, nothing of it needs to run in the plant.
        """
        try:
            self.campaign.leave()
            self.record = finish(self.campaign, self.directory, self._signing)
        except UserMistake as mistake:
            self._unsealed = mistake.text()
        finally:
            self.campaign.close()

    def _plan(self) -> list[Foreseen]:
        return foresee(self.campaign.priced(), self.campaign.permits)

    def _open_items(self) -> int:
        return sum(not can_be_measured(case) for case in self.campaign.cases.values())

    @staticmethod
    def _console(config: pytest.Config) -> Console:
        """A console on pytest's own terminal, as wide as a file needs where there is no terminal."""
        reporter: Any = config.pluginmanager.getplugin("terminalreporter")
        writer = reporter._tw  # noqa: SLF001 - the only way to the stream that capturing leaves alone
        return Console(file=writer._file, width=None if writer.hasmarkup else PLAIN_WIDTH)  # noqa: SLF001


def _is_suite_item(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in (MARKER, OPEN_MARKER))


def _case(item: pytest.Item) -> Case:
    case: Case = item.callspec.params["case"]  # type: ignore[attr-defined]
    return case
