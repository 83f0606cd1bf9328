"""Table forms: the data sheet (annex 3), the row of the recommendations (annex 5), the key indicators of equipment."""

from __future__ import annotations

from collections.abc import Iterator

from reports.figures import threshold_text
from reports.figures import value_of
from reports.forms.annex.blocks import Block
from reports.forms.annex.chapter import measured_of
from reports.forms.annex.told import Told
from reports.forms.applicant import Applicant
from reports.forms.applicant import Person
from reports.wording import verdict


def data_sheet(told: Told, applicant: Applicant) -> list[Block]:
    """Annex 3."""
    one = applicant
    rows = [
        ("1", "企业名称", _or_fill(told, one.enterprise, "企业名称"), ""),
        ("2", "工厂名称", _or_fill(told, one.factory, "工厂名称"), ""),
        ("3", "所属行业", _or_fill(told, one.industry, "所属行业"), ""),
        ("4", "所属区域", _or_fill(told, one.district, "行政区"), ""),
        ("5", "所属集团", one.group, ""),
        ("6", "工厂地址", _or_fill(told, one.address, "工厂地址"), ""),
        ("7", "成熟度等级（自评估）", _or_fill(told, one.level, "L3-L5"), ""),
        ("8", "所获荣誉", one.honours, ""),
        ("8", "企业负责人", *_person(told, one.head)),
        ("9", "企业联系人", *_person(told, one.contact)),
        ("10", "企业填表人", *_person(told, one.clerk)),
    ]
    return [Block("title", "上海市先进级智能工厂申报单位信息表"), Block("table", rows=tuple(rows), widths=(1, 4, 6, 4))]


def recommendation(told: Told, applicant: Applicant) -> list[Block]:
    """Annex 5, with one row."""
    one = applicant
    head = (
        "序号", "单位名称", "工厂名称", "统一社会信用代码", "所属行业", "智能制造能力成熟度评估分数得分",
        "智能制造能力成熟度评估等级", "智能制造典型场景名称", "工厂地址", "联系人", "联系方式（手机号）",
    )  # fmt: skip
    given = (
        one.enterprise, one.factory, one.code, one.industry, one.score, one.level, "、".join(one.scenes), one.address,
        one.contact.name, one.contact.mobile,
    )  # fmt: skip
    row = ("1", *(_or_fill(told, value, label) for label, value in zip(head[1:], given, strict=True)))
    table = Block("table", rows=(head, row), widths=(1, 3, 3, 6, 3, 3, 3, 4, 4, 2, 4))
    return [Block("title", "上海市先进级智能工厂推荐汇总表"), table]


def key_indicators(told: Told, applicant: Applicant) -> list[Block]:
    """网络与计算设备 of 2024: equipment by kind with what was measured of it, nothing of which there is no value."""
    head = ("序号", "设备名称", "关键指标", "研制单位")
    rows = [head]
    for one in told.words["equipment"]:
        told_of = list(_indicators(told, one["indicators"]))
        if told_of:
            maker = _or_fill(told, applicant.makers.get(one["kind"], ""), "研制单位")
            rows.append((str(len(rows)), one["name"], "；".join(told_of), maker))
    evidence = told.say("evidence", fingerprint=told.fingerprint) + told.say("relates")
    table = Block("table", rows=tuple(rows), widths=(1, 4, 12, 3))
    return [Block("title", "网络与计算设备"), table, Block("text", evidence)]


def _indicators(told: Told, indicators: list[str]) -> Iterator[str]:
    for one in measured_of(told, indicators):
        limit = threshold_text(one.result.threshold)
        asked = "" if one.result.threshold is None else f"（要求 {limit}，{verdict(one.result.verdict).zh}）"
        yield f"{told.named(one)} {value_of(one.result)}{asked}"


def _person(told: Told, one: Person) -> tuple[str, str]:
    named = " ".join(filter(None, (one.name, one.title)))
    return _or_fill(told, named, "姓名+职务"), _or_fill(told, one.mobile, "手机号码")


def _or_fill(told: Told, value: str, what: str) -> str:
    return value or told.words["fill"].format(what=what)
