"""A fleet's report as one offline HTML file, as Markdown, or as a workbook."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.verdict import Verdict
from reports.fleet.summary import Cell
from reports.fleet.summary import FleetTable
from reports.fleet.summary import Summary
from reports.wording import Said
from reports.wording import verdict
from reports.wording import visible

_STYLE = """body{font:15px/1.5 "Noto Sans CJK SC","Noto Sans SC","Microsoft YaHei",sans-serif;max-width:75em;
margin:2em auto;padding:0 1em;color:#1a1a1a}
table{border-collapse:collapse;margin:.5em 0 1em}
td,th{border-bottom:1px solid #d0d0d0;padding:.25em .7em;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
h2{margin-top:1.6em;font-size:1.15em}p.note{color:#6b6b6b}img{max-width:100%}.scroll{overflow-x:auto}"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_DATA = "data:image/svg+xml;base64"
_SHEET_NAME = 31  #: characters that a sheet's name may have


def write_summary(summary: Summary, out: Path, language: str) -> None:
    """Write the report in the format that the file's name says: ``.html``, ``.md`` or ``.xlsx``.

    Raises:
        UserMistake: for another name, or if it cannot be written.
    """
    kinds = {".html": _write_html, ".md": _write_markdown, ".xlsx": _write_workbook}
    if out.suffix not in kinds:
        facts = {"found": out.name, "known": ", ".join(kinds)}
        raise UserMistake([Problem("fleet-report-format", "reports.fleet", facts=facts)])
    try:
        kinds[out.suffix](summary, out, language)
    except OSError as error:
        facts = {"error": error.strerror or str(error)}
        raise UserMistake([Problem("fleet-cannot-write", "reports.fleet", file=str(out), facts=facts)]) from error


def _write_html(summary: Summary, out: Path, language: str) -> None:
    lines = [
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{_safe(summary.title, language)}</title><style>{_STYLE}</style>",
        f"<h1>{_safe(summary.title, language)}</h1>",
        *(f"<p>{_safe(it, language)}</p>" for it in summary.sentences),
        *(
            f'<p><img alt="{alt}" src="data:image/svg+xml;base64,{data}"></p>'
            for alt, data in _drawn(summary, language)
        ),
    ]
    for table in summary.tables:
        lines.append(f"<h2>{_safe(table.title, language)}</h2>")
        kinds = [' class="n"' if _is_number(it) else "" for it in table.rows[0]]
        named = zip(kinds, table.columns, strict=True)
        heads = "".join(f"<th{kind}>{_safe(it, language)}</th>" for kind, it in named)
        lines.append(f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>')
        lines += ["<tr>" + "".join(_html_cell(it, language) for it in row) + "</tr>" for row in table.rows]
        lines.append("</tbody></table></div>")
        if table.note.en:
            lines.append(f'<p class="note">{_safe(table.note, language)}</p>')
    out.write_text("\n".join(lines) + "</html>\n", "utf-8")


def _html_cell(cell: Cell, language: str) -> str:
    return f'<td class="n">{_text(cell, language)}</td>' if _is_number(cell) else f"<td>{_safe(cell, language)}</td>"


def _safe(cell: Cell, language: str) -> str:
    return html.escape(visible(_text(cell, language)))


def _write_markdown(summary: Summary, out: Path, language: str) -> None:
    lines = [f"# {_plain(summary.title, language)}", ""]
    for sentence in summary.sentences:
        lines += [_plain(sentence, language), ""]
    for table in summary.tables:
        lines += [f"## {_plain(table.title, language)}", ""]
        lines.append("| " + " | ".join(_plain(it, language) for it in table.columns) + " |")
        lines.append("|" + " --- |" * len(table.columns))
        lines += ["| " + " | ".join(_plain(it, language) for it in row) + " |" for row in table.rows]
        lines += ["", *([_plain(table.note, language), ""] if table.note.en else [])]
    out.write_text("\n".join(lines), "utf-8")


def _plain(cell: Cell, language: str) -> str:
    """Text in which Markdown and HTML mean nothing."""
    text = " ".join(html.escape(visible(_text(cell, language)), quote=False).split())
    return "".join(f"\\{it}" if it in "\\`*_[]|#!" else it for it in text)


def _write_workbook(summary: Summary, out: Path, language: str) -> None:
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    try:
        with xlsxwriter.Workbook(str(out)) as book:
            bold = book.add_format({"bold": True})
            first = book.add_worksheet("summary")
            for row, sentence in enumerate([summary.title, *summary.sentences]):
                first.write_string(row, 0, visible(sentence.in_language(language)))
            for table in summary.tables:
                _fill(book.add_worksheet(table.id[:_SHEET_NAME]), table, language, bold)
    except FileCreateError as error:
        raise OSError(0, str(error)) from error


def _fill(sheet: Any, table: FleetTable, language: str, bold: object) -> None:  # noqa: ANN401 - xlsxwriter has no types
    """Texts are written as texts, so that none is taken for a formula or a link."""
    for column, name in enumerate(table.columns):
        sheet.write_string(0, column, visible(name.in_language(language)), bold)
        sheet.set_column(column, column, 18)
    for row, cells in enumerate(table.rows, 1):
        for column, cell in enumerate(cells):
            if isinstance(cell, int | float):
                sheet.write_number(row, column, cell)
            elif cell is not None:
                sheet.write_string(row, column, visible(cell.in_language(language)))
    sheet.freeze_panes(1, 0)


def _text(cell: Cell, language: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Said):
        return cell.in_language(language)
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.6g}"


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float)


def _drawn(summary: Summary, language: str) -> Iterator[tuple[str, str]]:
    """Pictures as SVG in base64, each with its title."""
    from reports.fleet import drawn

    words = {word: verdict(word).in_language(language) for word in Verdict}
    if summary.verdicts:
        title = drawn.title("verdicts", language)
        yield title, _encoded(drawn.verdict_bars(summary.verdicts, words, title))
    if summary.scores:
        title = drawn.title("scores", language)
        labels = tuple(
            drawn.title(it, language) for it in ("least-score", "greatest-score", "score-axis", "plants-axis")
        )
        yield title, _encoded(drawn.score_steps(summary.scores, title, labels))


def _encoded(svg: io.BytesIO) -> str:
    return base64.b64encode(svg.getvalue()).decode()
