"""The report as PDF: the same document as in Word, laid out on pages by WeasyPrint, with its fonts embedded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jinja2 import PackageLoader
from jinja2 import StrictUndefined
from markupsafe import Markup

from reports.bundle import Bundle
from reports.document.blocks import Document
from reports.document.blocks import Figure
from reports.document.blocks import Words
from reports.document.compose import document
from reports.pdf.system import weasyprint
from reports.pictures.fonts import family


def write_report(bundle: Bundle, out: Path, language: str) -> None:
    """Write the report of ``bundle`` to ``out`` as PDF.

    Raises:
        OSError: if it cannot be written.
        UserMistake: if a file of the bundle is missing or malformed, or a library or font that PDF needs is missing.
    """
    engine = weasyprint()
    out.write_bytes(render(engine, document(bundle, language)))


def render(engine: Any, made: Document) -> bytes:  # noqa: ANN401 - weasyprint has no types
    """``made`` as PDF: tagged, with bookmarks, and dated to the end of the campaign.

    Nothing is fetched: the pictures are part of the page, and what refers to anything else is refused.
    """
    html = engine.HTML(string=markup(made), base_url=None, url_fetcher=_fetcher(engine))
    identifier = made.fingerprint.encode()
    rendered: bytes = html.write_pdf(pdf_tags=True, pdf_identifier=identifier)
    return rendered


def markup(made: Document) -> str:
    """``made`` as the HTML that is laid out."""
    words = Words(made.language)
    return (
        _environment()
        .get_template("document.html.jinja")
        .render(
            document=made,
            style=Markup(_style(made.language)),  # noqa: S704 - ours
            say=words.say,
            kind_of=lambda block: type(block).__name__,
            drawn=_drawn(made.language),
        )
    )


def _drawn(language: str) -> Callable[[Figure], Markup]:
    def drawn(figure: Figure) -> Markup:
        return Markup(figure.picture.svg(language))  # noqa: S704 - made by us, with every text escaped

    return drawn


def _fetcher(engine: Any) -> Any:  # noqa: ANN401
    """What is asked for a file or an address, and refuses."""

    class Refusing(engine.urls.URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, _headers: object = None) -> None:
            raise ValueError(f"a report refers to nothing outside itself: {url[:80]}")

    return Refusing()


def _style(language: str) -> str:
    """The style sheet, with the page numbers in the document's language, and a font that is sure to write Chinese."""
    environment = _environment()
    assert environment.loader is not None  # noqa: S101 - set below
    source = environment.loader.get_source(environment, "document.css")[0]
    before, between, after = Words(language).around_pages()
    pages = f'"{before}" counter(page) "{between}" counter(pages) "{after}"'
    return source.replace("content: PAGES", f"content: {pages}").replace("INSTALLED", f'"{family()}"')


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports.pdf"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
