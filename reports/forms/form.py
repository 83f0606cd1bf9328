"""A form: its parts, its lists of words, and its rules, each with where it is stated; read from ``data/NAME.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any
from typing import Literal

from pydantic import Field

from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.requirement import Bilingual
from profiles.requirement import Provenance
from profiles.requirement import Strict
from reports.forms.package import CATALOGUE

_DATA = "reports.forms.data"


class Stated(Strict):
    """Where a rule is stated."""

    document: str
    clause: str
    quote: str = ""
    provenance: Provenance = Provenance.STATED


class Rule(Strict):
    """One rule of a form."""

    id: str
    check: str  #: name of the function in ``reports.forms.checks``
    text: Bilingual
    source: Stated
    reading: Bilingual | None = None  #: what the rule leaves open, and how it is read here
    facts: dict[str, Any] = Field(default_factory=dict)  #: arguments of the check


class Section(Strict):
    """A heading that a form asks for."""

    id: str
    title: str  #: as the form has it
    match: tuple[str, ...]  #: beginnings by which a heading is known, without its number and spaces
    level: Literal["part", "section"] = "section"
    within: str = ""  #: id of the part that it belongs to
    required: bool = False  #: 必填项
    counted: bool = True  #: whether its text counts
    limit: int | None = None  #: at most so many characters


class Form(Strict):
    """One form."""

    form: str
    title: Bilingual
    document: str
    note: Bilingual | None = None
    public: bool = False  #: whether the document goes to strangers, so that a bundle's plant must not show in it
    sections: tuple[Section, ...] = ()
    lists: dict[str, tuple[str, ...]] = Field(default_factory=dict)  #: words of which one has to be given
    rules: tuple[Rule, ...]


def form_names() -> list[str]:
    """Names of all forms."""
    names = [one.name for one in files(_DATA).iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml") and not name.startswith("_"))


@cache
def load_form(name: str) -> Form:
    """The form ``name``.

    Raises:
        UserMistake: if there is none.
    """
    if name not in form_names():
        facts = {"found": name, "known": ", ".join(form_names())}
        raise UserMistake([Problem("form-unknown", CATALOGUE, facts=facts)])
    return Form.model_validate(data(name))


@cache
def data(name: str) -> dict[str, Any]:
    """The content of ``data/NAME.toml``, with what it includes; lists of words are shared by forms."""
    content = tomllib.loads(files(_DATA).joinpath(f"{name}.toml").read_text("utf-8"))
    for list_name, source in content.pop("include", {}).items():
        content.setdefault("lists", {})[list_name] = data(source)[list_name]
    return content
