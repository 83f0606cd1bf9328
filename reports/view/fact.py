"""A named fact of the report, and how one is shown that nobody stated."""

from __future__ import annotations

from typing import NamedTuple

from reports.wording import Said
from reports.wording import same
from reports.wording import say


class Fact(NamedTuple):
    """One fact with its name; what was not stated says so and is never made up."""

    name: Said
    value: Said
    stated: bool = True


def fact(code: str, value: object) -> Fact:
    """The fact named ``report.<code>``; ``value`` is a :class:`Said`, or anything that is not translated.

    An empty value is shown as not stated.
    """
    told = value if isinstance(value, Said) else same(value or "")
    return Fact(say(code), told) if told.zh.strip() else Fact(say(code), say("fact.not-stated"), stated=False)


def joined(parts: list[Said]) -> Said:
    """Several texts as an enumeration."""
    return Said("、".join(part.zh for part in parts), ", ".join(part.en for part in parts))
