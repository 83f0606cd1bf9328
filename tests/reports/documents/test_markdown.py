"""The summary in Markdown: what renders it shows what was written and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example as case
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from conformance.cli import main
from reports.document.blocks import shown
from reports.document.compose import summary
from reports.markdown import escape
from reports.markdown import render

PARSER = MarkdownIt("commonmark").enable("table")
PLAIN = {"text", "code_inline", "strong_open", "strong_close", "softbreak", "html_inline"}
NASTY = st.text(st.sampled_from("`|\\<>[]()*_~!&;#$@:%^-+=1.a 中\"'“\u00a0"), max_size=24)


def inline(markdown: str) -> Iterator[Token]:
    for token in PARSER.parse(markdown):
        yield from token.children or ()


def told(markdown: str) -> str:
    """What a reader of the rendered text is shown; fails on anything but text and code."""
    found = ""
    for token in inline(markdown):
        assert token.type in PLAIN, token
        if token.type == "html_inline":
            assert token.content in ("<code>", "</code>")
        else:
            found += token.content
    return found


@given(NASTY | st.text(max_size=40))
@case("|`")
@case("a\\|b")
@case("- x")
@case("10) x")
@case("&amp; &#60;")
@case("<!-- x -->")
@case("$a$")
@case("__x__")
def test_any_text_is_shown_as_it_is_in_a_paragraph_and_in_a_cell(raw: str) -> None:
    plain = shown(raw).strip()
    for escaped in (escape.text(plain), escape.code(plain)):
        assert told(f"x\n\n{escaped}\n") == f"x{plain}"
        assert told(f"- {escaped}\n") == plain
        table = f"| a | b |\n| --- | --- |\n| {escaped} | end |\n"
        assert [it.type for it in PARSER.parse(table)].count("td_open") == 2
        assert told(table) == f"ab{plain}end"


@pytest.mark.parametrize(
    "name",
    ["http://evil.example", "www.evil.example", "a@b.example", "@somebody", "#12", "!7", ":smile:", "mailto:x", "$x$",
     "<img src=x>", "javascript:alert(1)", "%v1", "~bug"],
)  # fmt: skip
def test_what_a_forge_would_turn_into_a_link_or_a_mention_is_code(name: str) -> None:
    assert [it.type for it in inline(escape.text(f"机器 {name}"))] == ["code_inline"]


@pytest.mark.parametrize("text", ["≥ 90 %", "38/39 = 97.4 %", "< 10 ms", "2027-01-15 08:01:34 UTC+08:00", "a_b-c.d"])
def test_ordinary_text_stays_readable(text: str) -> None:
    assert escape.text(text) == text


@pytest.mark.parametrize("kind", ["plain", "hostile"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_has_the_columns_of_its_head(example: Any, kind: str, language: str) -> None:
    made = summary(example(kind), language)
    page = render(made)
    told(page)
    widths = [0, 0]
    for token in PARSER.parse(page):
        if token.type in ("th_open", "td_open"):
            widths[token.type == "td_open"] += 1
    tables = [it for it in made.blocks if type(it).__name__ == "Table"]
    assert widths == [sum(len(it.columns) for it in tables), sum(len(it.columns) * len(it.rows) for it in tables)]


def test_it_says_what_a_reader_must_know(example: Any) -> None:
    page = render(summary(example(), "zh"))
    assert page.startswith("# 工厂网络符合性测试报告 临港示范工厂\n\n**不符合**\n")
    for text in (
        "示例集团",
        "未载明",
        "`NET-RCH-E`",
        "停产检修期间断电",
        "夜班未测",
        "检查终端供电",
        "plantproof verify",
    ):
        assert text in page
    failing = next(one for one in example().campaign.results if one.item == "NET-RCH-E").failing
    assert sum(f"`{one.target}`" in page for one in failing) == 5
    assert f"共 {len(failing)} 个" in page


def test_it_reads_as_text(example: Any) -> None:
    """Columns of a table line up where they are not too wide."""
    lines = render(summary(example(), "en")).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("| Pillar"))
    table = lines[start : start + 3]
    assert len({tuple(found.start() for found in re.finditer(r"\|", line)) for line in table}) == 1


def test_the_command_writes_it_beside_the_bundle(make_bundle: Any, capsys: Any) -> None:
    bundle = make_bundle()
    with pytest.raises(SystemExit) as stopped:
        main(["--lang", "en", "report", str(bundle.path), "--format", "markdown"])
    assert not stopped.value.code
    assert "**Nonconformant**" in bundle.path.with_name("bundle.md").read_text("utf-8")
