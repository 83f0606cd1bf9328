"""The small parts of a Word package (ECMA-376 part 2): relationships, properties, head and foot, and what is fixed."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from importlib.resources import files
from xml.sax.saxutils import escape

from reports.document.blocks import Document
from reports.document.blocks import Run
from reports.document.blocks import Style
from reports.document.blocks import Words
from reports.word import xml

_FIXED = ("styles", "numbering", "settings", "fontTable")  #: kept as files beside this one
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def parts(made: Document, images: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and content of each part but the document itself and its pictures.

    Args:
        made: the document.
        images: ids of the relationships to pictures, which are also the names of their files.
    """
    kept = files("reports.word") / "parts"
    yield "[Content_Types].xml", (kept / "content_types.xml").read_text("utf-8")
    yield "_rels/.rels", _of_package()
    yield "docProps/core.xml", _core(made)
    yield "docProps/app.xml", _app(made)
    yield "word/_rels/document.xml.rels", _of_document(images)
    for name in _FIXED:
        yield f"word/{name}.xml", (kept / f"{name}.xml").read_text("utf-8")
    yield "word/header.xml", _header(made)
    yield "word/footer.xml", _footer(made)


def _of_package() -> str:
    return _relations(
        ("document", f"{_OFFICE}/relationships/officeDocument", "word/document.xml"),
        ("core", f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
        ("app", f"{_OFFICE}/relationships/extended-properties", "docProps/app.xml"),
    )


def _of_document(images: Sequence[str]) -> str:
    named = [(name, f"{_OFFICE}/relationships/{name}", f"{name}.xml") for name in (*_FIXED, "header", "footer")]
    shown = [(name, f"{_OFFICE}/relationships/image", f"media/{name}.png") for name in images]
    return _relations(*named, *shown)


def _relations(*targets: tuple[str, str, str]) -> str:
    told = "".join(f'<Relationship Id="{id}" Type="{type}" Target="{target}"/>' for id, type, target in targets)
    return f'{xml.HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{told}</Relationships>'


def _core(made: Document) -> str:
    """The document's properties; it is dated to the end of the campaign."""
    when = _utc(made.created)
    dates = "".join(
        f'<dcterms:{name} xsi:type="dcterms:W3CDTF">{when}</dcterms:{name}>' for name in ("created", "modified") if when
    )
    return (
        f'{xml.HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(made.title)}</dc:title><dc:subject>{escape(made.subject)}</dc:subject>"
        f"<dc:creator>{escape(made.author)}</dc:creator><dc:identifier>{escape(made.campaign)}</dc:identifier>"
        f"<dc:language>{'zh-CN' if made.language == 'zh' else 'en'}</dc:language>"
        f"<cp:lastModifiedBy>{escape(made.producer)}</cp:lastModifiedBy>{dates}</cp:coreProperties>"
    )


def _app(made: Document) -> str:
    told = f"<Application>{escape(made.producer)}</Application>"
    return f'{xml.HEAD}<Properties xmlns="{_OFFICE}/extended-properties">{told}</Properties>'


def _utc(when: str) -> str:
    """An ISO 8601 moment as W3CDTF in UTC; nothing if it is none."""
    try:
        return datetime.fromisoformat(when).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return ""


def _header(made: Document) -> str:
    told = f"{xml.run(Run(made.running))}{xml.TAB}{xml.run(Run(made.campaign, Style.CODE))}"
    return f"{xml.HEAD}<w:hdr {xml.NAMESPACES}>{xml.paragraph('Header', told)}</w:hdr>"


def _footer(made: Document) -> str:
    """``第 1 页，共 9 页``, and at the left what made the document of which evidence."""
    before, between, after = (xml.run(Run(text)) for text in Words(made.language).around_pages())
    counted = f"{before}{xml.field('PAGE', '1')}{between}{xml.field('NUMPAGES', '1')}{after}"
    told = xml.paragraph("Footer", f"{xml.run(Run(made.foot))}{xml.TAB}{counted}")
    return f"{xml.HEAD}<w:ftr {xml.NAMESPACES}>{told}</w:ftr>"
