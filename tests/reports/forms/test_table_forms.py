"""Annexes 3 and 5 of 2025, and the form of 2024: each rule kept and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import docx
import pytest

from reports.forms.answer import Checked
from reports.forms.answer import Mark
from reports.forms.form import form_names
from reports.forms.form import load_form
from tests.reports.forms.conftest import codes

Check = Callable[..., Checked]

SHEET = {
    "企业名称": ("示例制造有限公司", ""), "工厂名称": ("示例智能工厂", ""), "所属行业": ("汽车", ""),
    "所属区域": ("浦东新区", ""), "所属集团": ("", ""), "工厂地址": ("示例路 1 号", ""),
    "成熟度等级（自评估）": ("L3", ""),
    "所获荣誉": ("", ""), "企业负责人": ("甲 总经理", "13800000000"), "企业联系人": ("乙 主任", "13900000000"),
    "企业填表人": ("丙 工程师", "13700000000"),
}  # fmt: skip
ROW = {
    "序号": "1", "单位名称": "示例制造有限公司", "工厂名称": "示例智能工厂", "统一社会信用代码": "91350100M000100Y43",
    "所属行业（电子信息、汽车）": "汽车", "智能制造能力成熟度评估分数得分": "3.2", "智能制造能力成熟度评估等级": "三级",
    "智能制造典型场景名称": "2.数字基础设施建设、在线智能检测", "工厂地址": "示例路 1 号", "联系人": "乙",
    "联系方式（手机号）": "139 0000 0000",
}  # fmt: skip


def table(rows: list[tuple[str, ...]]) -> Any:
    document = docx.Document()
    made = document.add_table(rows=0, cols=len(rows[0]))
    for row in rows:
        for cell, text in zip(made.add_row().cells, row, strict=True):
            cell.text = text
    return document


def sheet(**changes: tuple[str, str] | None) -> Any:
    rows = {label: changes.get(label, values) for label, values in SHEET.items()}
    return table(
        [(str(at), label, *values) for at, (label, values) in enumerate(rows.items(), 1) if values is not None]
    )


def row(**changes: str) -> Any:
    values = {label: changes.get(label.partition("（")[0], value) for label, value in ROW.items()}
    return table(
        [tuple(values), tuple(values.values()), ("2", *[""] * (len(values) - 1)), ("…", *[""] * (len(values) - 1))]
    )


@pytest.mark.parametrize(("document", "form"), [(sheet(), "annex3-2025"), (row(), "annex5-2025")])
def test_a_good_table_leaves_only_what_a_person_has_to_see(document: Any, form: str, checked: Check) -> None:
    said = checked(document, form)
    left = {one.rule.id for one in said.answers if one.mark is not Mark.PASS}
    assert left <= {"A3-TRUE", "A5-RANK", "A3-SECRETS", "A5-SECRETS"}  # python-docx's template embeds a thumbnail
    assert not said.count(Mark.FAIL)


@pytest.mark.parametrize(
    ("changes", "rule", "code"),
    [
        ({"企业名称": ("", "")}, "A3-ENTERPRISE", "field-empty"),
        ({"工厂名称": ("示例项目", "")}, "A3-FACTORY", "factory-suffix"),
        ({"所属行业": ("化工", "")}, "A3-INDUSTRY", "word-other"),
        ({"所属区域": ("（行政区）", "")}, "A3-DISTRICT", "field-empty"),
        ({"工厂地址": None}, "A3-ADDRESS", "field-missing"),
        ({"成熟度等级（自评估）": ("L2", "")}, "A3-LEVEL", "level-other"),
        ({"成熟度等级（自评估）": ("优秀", "")}, "A3-LEVEL", "level-other"),
        ({"成熟度等级（自评估）": ("此处请注明成熟度评估等级（L3-L5)", "")}, "A3-LEVEL", "level-other"),
        ({"成熟度等级（自评估）": ("2.3级", "")}, "A3-LEVEL", "level-other"),
        ({"企业负责人": ("甲", "1380000")}, "A3-HEAD", "mobile-other"),
        ({"企业联系人": ("乙", "")}, "A3-CONTACT", "mobile-other"),
        ({"企业填表人": ("", "")}, "A3-CLERK", "field-empty"),
        ({"所获荣誉": ("【待填：荣誉】", "")}, "A3-PLACEHOLDER", "placeholder"),
        ({"所获荣誉": ("网关 192.0.2.1", "")}, "A3-SECRETS", "leak"),
    ],
)
def test_a_broken_rule_of_annex_3(changes: dict[str, Any], rule: str, code: str, checked: Check) -> None:
    assert code in codes(checked(sheet(**changes), "annex3-2025"), rule)


@pytest.mark.parametrize(
    ("changes", "rule", "code"),
    [
        ({"单位名称": ""}, "A5-ROWS", "row-gaps"),
        ({"智能制造能力成熟度评估分数得分": ""}, "A5-ROWS", "row-gaps"),
        ({"工厂名称": "示例工厂"}, "A5-FACTORY", "factory-suffix"),
        ({"统一社会信用代码": "91350100M000100Y44"}, "A5-CODE", "code-check"),
        ({"统一社会信用代码": "91350100M000100Y4"}, "A5-CODE", "code-form"),
        ({"统一社会信用代码": "9135010OM000100Y43"}, "A5-CODE", "code-form"),
        ({"所属行业": "汽车、化工"}, "A5-INDUSTRY", "word-other"),
        ({"智能制造能力成熟度评估等级": "二级"}, "A5-LEVEL", "level-other"),
        ({"智能制造典型场景名称": "数字基础设施建设、数字基础设施集成"}, "A5-SCENES", "word-other"),
        ({"联系方式": "021-55550000"}, "A5-MOBILE", "mobile-other"),
        ({"联系人": "【待填：联系人】"}, "A5-PLACEHOLDER", "placeholder"),
        ({"工厂地址": "mes.plant.example"}, "A5-SECRETS", "leak"),
    ],
)
def test_a_broken_rule_of_annex_5(changes: dict[str, str], rule: str, code: str, checked: Check) -> None:
    assert code in codes(checked(row(**changes), "annex5-2025"), rule)


@pytest.mark.parametrize("level", ["L3", "l4", "三级", "3级", "5", "GB/T 39116 L3 级"])
def test_levels_are_read_as_people_write_them(level: str, checked: Check) -> None:
    assert not codes(checked(sheet(**{"成熟度等级（自评估）": (level, "")}), "annex3-2025"), "A3-LEVEL")


def application(
    texts: dict[str, str] | None = None, cells: list[tuple[str, ...]] | None = None, directions: int = 1, **more: str
) -> Any:
    """The form of 2024 as filled in: four columns of cells, then the sections."""
    given = {"单位简介": "简介", "解决痛点问题": "痛点", "方案简述": "方案", "预期其他成果": "成果"} | more
    usual = [("统一社会信用代码", given.pop("code", "91350100M000100Y43"), "", "")]
    usual += [(f"攻关方向{'一二三四'[at]}", "高性能工业网络解决方案", "", "") for at in range(directions)]
    usual += [("攻关起止日期", given.pop("when", "2024年6月 - 2026年6月"), "", "")]
    usual += [("环节名称", given.pop("stage", "工厂建设"), "场景名称", given.pop("scene", "数字基础设施集成"))]
    usual += [(label, value, "", "") for label, value in given.items()]
    usual += [("序号", "设备名称", "关键指标", "研制单位"), ("1", "工业网关", "时延 5 ms", "甲公司"), ("2", "", "", "")]
    usual += [("重点行业一", "", "", ""), ("研制周期缩短 (%)", "5", "生产效率提升 (%)", "5")]
    usual += [("产品不良率下降 (%)", "5", "运营成本下降 (%)", "5")]
    document = table(cells or usual)
    headings = (
        "一、揭榜任务攻关内容", "（一）攻关方向一", "1. 产业 1", "（1）背景与必要性", "（2）主要内容", "（3）预期成效",
        "（4）进度安排", "二、申报单位基础条件", "三、项目负责人与研发团队",
        "四、项目组织实施、保障措施、研发资金及风险分析",
        "（一）组织实施机制", "（二）研发资金投入", "（三）风险分析", "五、下一步应用和推广计划", "六、相关附件",
    )  # fmt: skip
    for heading in headings:
        document.add_paragraph(heading)
        document.add_paragraph((texts or {}).get(heading, "内容。"))
    return document


def test_a_good_application_of_2024_fails_nothing(checked: Check) -> None:
    said = checked(application(), "jiebang-2024")
    assert [one.rule.id for one in said.answers if one.mark in (Mark.FAIL, Mark.WARN)] == []


@pytest.mark.parametrize(
    ("more", "rule", "code"),
    [
        ({"单位简介": "字" * 501}, "J-LIMITS", "limit"),
        ({"解决痛点问题": "字" * 201}, "J-LIMITS", "limit"),
        ({"方案简述": "字" * 501}, "J-LIMITS", "limit"),
        ({"预期其他成果": "字" * 301}, "J-LIMITS", "limit"),
        ({"texts": {"（1）背景与必要性": "字" * 1001}}, "J-LIMITS", "limit"),
        ({"texts": {"（2）主要内容": "字" * 3001}}, "J-LIMITS", "limit"),
        ({"texts": {"（3）预期成效": "字" * 1001}}, "J-LIMITS", "limit"),
        ({"texts": {"（4）进度安排": "字" * 1001}}, "J-LIMITS", "limit"),
        ({"texts": {"二、申报单位基础条件": "字" * 2001}}, "J-LIMITS", "limit"),
        ({"texts": {"三、项目负责人与研发团队": "字" * 1001}}, "J-LIMITS", "limit"),
        ({"texts": {"（三）风险分析": "字" * 1001}}, "J-LIMITS", "limit"),
        ({"texts": {"五、下一步应用和推广计划": "字" * 1001}}, "J-LIMITS", "limit"),
        ({"texts": {"（2）主要内容": "字" * 6000}}, "J-TASK", "task"),
        ({"texts": {"（三）风险分析": ""}}, "J-REQUIRED", "section-empty"),
        ({"directions": 4}, "J-DIRECTIONS", "at-most"),
        ({"when": "2024年6月 - 2026年7月"}, "J-DURATION", "duration"),
        ({"when": "两年"}, "J-DURATION", "duration-unread"),
        ({"scene": "数字基础设施建设"}, "J-SCENE", "word-other"),
        ({"stage": "网络建设"}, "J-STAGE", "word-other"),
        ({"code": "91350100M000100Y44"}, "J-CODE", "code-check"),
        ({"cells": [("攻关方向一", "其他方案", "", "")]}, "J-DIRECTION-NAMES", "word-other"),
        ({"cells": [("重点行业一", "", "", ""), ("研制周期缩短", "5", "生产效率提升", "5")]}, "J-EFFECTS", "effects"),
        ({"cells": [("序号", "设备名称", "关键指标", "研制单位"), ("1", "网关", "", "甲")]}, "J-DEVICES", "row-gaps"),
        ({"cells": [("序号", "设备名称", "关键指标", "研制单位"), ("1", "", "", "")]}, "J-DEVICES", "table-empty"),
        ({"cells": [("无", "", "", "")]}, "J-DEVICES", "table-missing"),
        ({"方案简述": "网关 192.0.2.1"}, "J-SECRETS", "leak"),
    ],
)  # fmt: skip
def test_a_broken_rule_of_2024(more: dict[str, Any], rule: str, code: str, checked: Check) -> None:
    assert code in codes(checked(application(**more), "jiebang-2024"), rule)


def test_limits_are_kept_to_the_character(checked: Check) -> None:
    kept = application({"（1）背景与必要性": "字" * 1000, "（2）主要内容": "字" * 3000}, 单位简介="字" * 500)
    assert not codes(checked(kept, "jiebang-2024"), "J-LIMITS")


def test_parts_out_of_order_are_told(checked: Check) -> None:
    document = application()
    last = document.paragraphs[-2]._p
    document.paragraphs[0]._p.addprevious(last)
    assert "part-order" in codes(checked(document, "jiebang-2024"), "J-PARTS")


@pytest.mark.parametrize("name", form_names())
def test_every_form_is_whole(name: str) -> None:
    from reports.forms.checks import CHECKS

    form = load_form(name)
    assert form.form == name
    assert len({rule.id for rule in form.rules}) == len(form.rules)
    for rule in form.rules:
        assert rule.check in CHECKS
        assert rule.text.zh
        assert rule.text.en
        assert "list" not in rule.facts or rule.facts["list"] in form.lists


def test_the_lists_are_as_long_as_the_forms_say() -> None:
    assert len(load_form("annex4-2025").lists["scenes"]) == 40
    assert len(load_form("annex4-2025").lists["industries"]) == 6
    lists = load_form("jiebang-2024").lists
    assert [len(lists[name]) for name in ("directions", "scenes", "stages", "industries")] == [21, 45, 16, 6]


def test_every_finding_has_its_words() -> None:
    """Codes in the checks, as far as they are written out, are texts in both languages."""
    import re
    from pathlib import Path

    from profiles.language import Texts

    folder = Path(__file__).parents[3] / "reports" / "forms" / "checks"
    source = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    used = set(
        re.findall(r'(?:found\(|_at\(subject, \w+, )Mark\.\w+(?: if [^,]+? else Mark\.\w+)?, "([a-z-]+)"', source)
    )
    known = {code.removeprefix("finding.") for code in Texts.of("reports.forms").codes()}
    assert len(used) > 30
    assert used <= known
