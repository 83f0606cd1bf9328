"""What PDF needs of the system: Pango and its kin, libraries that WeasyPrint loads when it is imported."""

from __future__ import annotations

import contextlib
import io
import warnings
from ctypes.util import find_library
from typing import Any

from profiles.problem import Problem
from profiles.problem import UserMistake

#: Libraries that WeasyPrint loads, as ``ctypes`` looks for them, each with the Debian package that brings it;
#: GLib, Fontconfig and HarfBuzz, which it also loads, come with these.
LIBRARIES = {
    "pango-1.0": "libpango-1.0-0",
    "pangoft2-1.0": "libpangoft2-1.0-0",
    "harfbuzz-subset": "libharfbuzz-subset0",
}


def weasyprint() -> Any:  # noqa: ANN401 - weasyprint has no types
    """The package WeasyPrint, with everything it needs.

    Raises:
        UserMistake: if a library is missing; it names the packages to install.
    """
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):  # it prints and warns of what lacks
            warnings.simplefilter("ignore")
            import weasyprint as engine
    except OSError as error:
        missing = [package for name, package in LIBRARIES.items() if find_library(name) is None]
        facts = {"packages": " ".join(missing or LIBRARIES.values()), "error": str(error).splitlines()[0]}
        raise UserMistake([Problem("pdf-no-library", "reports", facts=facts)]) from error
    return engine
