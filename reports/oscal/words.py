"""Values as OSCAL's data types want them, whoever wrote them."""

from __future__ import annotations

import re
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from reports.wording import visible

#: Namespace of the properties that OSCAL does not define; ``docs/reports.md`` lists them.
NAMESPACE = "urn:plantproof:oscal:1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(1900, 3000)  #: that OSCAL's pattern of a moment allows
#: What CommonMark takes for markup inside of a line: code, emphasis, links, HTML and character references.
#: An underscore between letters is none.
_MARKUP = re.compile(r"[\\`*~\[\]]|<(?=[A-Za-z/!?])|&(?=[#A-Za-z])|\{(?=\{)|(?<!\w)_+|_+(?!\w)")
#: And at its beginning: headings, quotes, lists, rules.
_BLOCK = re.compile(r"^[#>+=-]")


def line(text: str) -> str:
    """``text`` as one line of Markdown that shows it as it is; never empty."""
    told = _MARKUP.sub(lambda found: "".join(f"\\{letter}" for letter in found[0]), plain(text))
    return _BLOCK.sub(r"\\\g<0>", told)


def plain(text: str) -> str:
    """``text`` as a string of OSCAL: one line, visible, without spaces around it; never empty."""
    return " ".join(visible(text).split()) or "–"


def prop(name: str, value: object, **more: str) -> dict[str, str]:
    """A property in our namespace."""
    return {"name": name, "ns": NAMESPACE, "value": plain(str(value)), **more}


def props(**values: object) -> list[dict[str, str]]:
    """Properties in our namespace by name, with ``-`` for ``_``; those without a value are left out."""
    return [
        prop(name.replace("_", "-"), repr(value) if isinstance(value, float) else value)
        for name, value in values.items()
        if value is not None and value != ""
    ]


def stamp(when: int | str | None) -> str | None:
    """A moment in UTC; ``None`` if it is none or has no zone.

    Args:
        when: nanoseconds since the Unix epoch, or ISO 8601.
    """
    if when is None:
        return None
    try:
        told = datetime.fromisoformat(when) if isinstance(when, str) else _EPOCH + timedelta(microseconds=when // 1000)
        utc = told.astimezone(UTC) if told.tzinfo else None
    except (ValueError, OverflowError):
        return None
    return None if utc is None or utc.year not in _YEARS else utc.isoformat().replace("+00:00", "Z")
