"""What other packages add to a campaign: looked at before anything is planned, so that a broken one is told by name."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest

from fixtures.vantage.further import check_methods
from probes import dialects
from profiles.extensions import Extension
from profiles.extensions import extensions
from profiles.indicators import known
from profiles.problem import Problem
from profiles.problem import UserMistake

#: Entry points of this group name test modules, or packages of ``test_*.py``, with suite functions.
SUITES = "plantproof.suites"


def check_extensions() -> None:
    """See that indicators, methods and dialects of other packages can be used.

    Raises:
        UserMistake: naming the package of one that cannot.
    """
    known()
    check_methods()
    _check_dialects()


def suites() -> Mapping[Path, Extension]:
    """Where the suites of other packages lie: a file, or a folder.

    Raises:
        UserMistake: naming the package of one that is not there.
    """
    found = {}
    for extension in extensions(SUITES):
        with extension.used():
            spec = find_spec(extension.module)
            if spec is None:
                raise ModuleNotFoundError(f"No module named {extension.module!r}")
            places = spec.submodule_search_locations or [spec.origin or ""]
            path = Path(next(iter(places))).resolve()
            if not path.exists():
                raise FileNotFoundError(f"{extension.module} is not a file or folder")
            found[path] = extension
    return found


def broken_suite(path: Path, said: str, places: Mapping[Path, Extension]) -> UserMistake | None:
    """The mistake of the package of :func:`suites` that ``path`` belongs to, ``None`` if it belongs to none."""
    last = said.strip().splitlines()[-1:] or ["?"]
    for place, extension in places.items():
        if path.resolve().is_relative_to(place):
            return extension.mistake("extension-broken", error=last[0].removeprefix("E").strip())
    return None


def check_one_suite_each(items: Iterable[pytest.Item]) -> None:
    """See that one function measures each case: what a second one asks for would be measured in its stead.

    Raises:
        UserMistake: naming the two functions and the indicator.
    """
    measuring: dict[str, tuple[str, str]] = {}
    for item in items:
        case = item.callspec.params["case"]  # type: ignore[attr-defined]
        place = (str(item.path), item.name.partition("[")[0])
        first = measuring.setdefault(case.id, place)
        if first != place:
            facts = {"indicator": case.requirement.indicator, "one": "::".join(first), "other": "::".join(place)}
            raise UserMistake([Problem("suites-clash", "conformance", facts=facts)])


def _check_dialects() -> None:
    """Every dialect can be read, and has a name of its own."""
    held: dict[tuple[str, str], Extension | None] = {
        (kind, file.name): None for kind in dialects.KINDS for file in files(dialects.__name__).joinpath(kind).iterdir()
    }
    for extension in extensions(dialects.ENTRY_POINT_GROUP):
        for kind in dialects.KINDS:
            with extension.used():
                folder = files(extension.module).joinpath(kind)
                names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
            for name in filter(lambda name: name.endswith(".toml"), names):
                if (kind, name) in held:
                    holder = held[kind, name]
                    other = holder.package if holder else "plantproof"
                    raise extension.mistake("extension-clash", name=f"{kind}/{name}", other=other)
                held[kind, name] = extension
    for (kind, name), holder in held.items():
        if holder:
            with holder.used():
                dialects.load(kind, name.removesuffix(".toml"))
