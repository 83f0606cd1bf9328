"""The pytest plugin (entry point ``plantproof``): options always, everything else only when a plant is given.

Importing this module is part of every pytest start, so it imports nothing but pytest.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_NEEDED = "plantproof: the conformance suites need a plant: pytest conformance --plant PLANT.yaml --profile NAME"

#: Options that mean nothing without a plant.
_CAMPAIGN_ONLY = (
    "profile", "evidence", "waivers", "particulars", "baseline", "retest", "plan", "resume",
    "sign", "sign_passphrase", "tsa",
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the campaign's options."""
    group = parser.getgroup("plantproof", "conformance campaign (符合性测试)")
    group.addoption("--plant", type=Path, metavar="PLANT.yaml", help="plant to be tested (工厂描述文件)")
    group.addoption(
        "--profile",
        action="append",
        metavar="NAME|FILE",
        help="profile of requirements, may repeat (要求集, default: shanghai-617-2022)",
    )
    group.addoption(
        "--evidence", type=Path, metavar="DIR", help="where the evidence goes (证据目录, default: evidence/PLANT-TIME)"
    )
    group.addoption("--waivers", type=Path, metavar="FILE", help="who accepts until when what is not met (豁免清单)")
    group.addoption(
        "--particulars", type=Path, metavar="FILE", help="client, place, authoriser, ... of the report (报告信息)"
    )
    group.addoption(
        "--baseline", type=Path, metavar="BUNDLE", help="earlier bundle to compare with at the end (对照的证据包)"
    )
    group.addoption(
        "--retest", action="store_true", help="measure only what --baseline did not show to be met (只复测未通过项)"
    )
    group.addoption("--plan", action="store_true", help="send nothing; print every action and its cost (只列计划)")
    group.addoption("--resume", action="store_true", help="go on with the campaign in --evidence (续测)")
    group.addoption(
        "--sign",
        action="append",
        metavar="KEY",
        help="sign the bundle, by key file or URI, may repeat (签名密钥)",
    )
    group.addoption("--sign-passphrase", metavar="env:NAME", help="where the key's passphrase is (口令所在的环境变量)")
    group.addoption("--tsa", metavar="URL", help="time-stamp authority for the signatures, RFC 3161 (时间戳机构)")
    group.addoption("--plantproof-lang", choices=("zh", "en"), help="language of everything said (语言)")


def pytest_configure(config: pytest.Config) -> None:
    """Take part only when a plant is given."""
    config.addinivalue_line("markers", "measures(indicator): a suite function (see conformance.suite)")
    config.addinivalue_line("markers", "open_requirements: lists requirements that no suite measures")
    if config.option.plant is None:
        for option in _CAMPAIGN_ONLY:
            if getattr(config.option, option):
                raise pytest.UsageError(f"--{option.replace('_', '-')} needs --plant. {_NEEDED}")
        return
    if config.option.setuponly or config.option.setupplan:
        raise pytest.UsageError("plantproof: --setup-only and --setup-plan would send packets; use --plan")
    if config.option.retest and not config.option.baseline:
        raise pytest.UsageError("plantproof: --retest needs --baseline BUNDLE, whose open and failed items it measures")
    if config.option.plan and config.option.resume:
        raise pytest.UsageError("plantproof: --plan shows the plan of a whole campaign; leave --resume out")
    if hasattr(config, "workerinput") or getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("plantproof: a campaign measures in one process; run it without -n (pytest-xdist)")
    from conformance.plugin.session import CampaignPlugin

    config.pluginmanager.register(CampaignPlugin(config), "plantproof-campaign")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse to run the suites without a plant, instead of failing on a missing fixture."""
    if config.option.plant is None and any(item.get_closest_marker("measures") for item in items):
        raise pytest.UsageError(_NEEDED)
