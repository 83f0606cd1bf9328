"""What must not stand in a public document: addresses, numbers of devices and people, names of hosts, by their form.

The patterns are data (``data/_secrets.toml``); a check confirms what a pattern cannot: ranges, check digits.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import cache
from typing import NamedTuple

from reports.forms.form import data

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_LINE = re.compile(r"[\r\v\f\x1c-\x1e\x85\u2028\u2029]")


class Leak(NamedTuple):
    """Something that must not be there."""

    kind: str  #: id of the pattern, with a text ``leak.<kind>``
    text: str


class Pattern(NamedTuple):
    """One pattern."""

    kind: str
    regex: re.Pattern[str]
    confirms: Callable[[str], bool]


def leaks(text: str, without: Collection[str] = ()) -> Iterator[Leak]:
    """What looks secret or personal in ``text``, whatever width its characters have and whatever hides between them.

    Args:
        text: anything.
        without: kinds that may be there, because the form asks for them.
    """
    bare, told = plain(text), set[Leak]()
    for pattern in _patterns():
        if pattern.kind in without:
            continue
        for match in pattern.regex.finditer(bare):
            leak = Leak(pattern.kind, match[match.lastindex or 0])
            if leak not in told and pattern.confirms(leak.text):
                told.add(leak)
                yield leak


def plain(text: str) -> str:
    """``text`` as it is searched: of one width, without what is not seen, with one kind of dash and of line end."""
    normal = unicodedata.normalize("NFKC", text)
    if normal.isascii():
        return _LINE.sub("\n", normal)
    kept = (_plain_character(character) for character in normal)
    return _LINE.sub("\n", "".join(kept))


@cache
def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return "-" if category == "Pd" or character == "\u2212" else character


@cache
def _patterns() -> tuple[Pattern, ...]:
    content = data("_secrets")
    names = "|".join(re.escape(name) for name in content["domains"])
    allowed = frozenset(content["allowed_hosts"])
    checks = _CHECKS | {"host": lambda found: found.casefold() not in allowed}
    return tuple(
        Pattern(
            one["id"],
            re.compile(one["regex"].replace("DOMAINS", names), re.IGNORECASE),
            checks.get(one.get("check", ""), lambda _: True),
        )
        for one in content["pattern"]
    )


def luhn(number: str) -> bool:
    """Whether the last digit is the check digit (ISO/IEC 7812-1) of the digits before it."""
    digits = [int(one) for one in reversed(number) if one.isdigit()]
    doubled = (two - 9 if (two := 2 * one) > 9 else two for one in digits[1::2])
    return len(digits) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def citizen(number: str) -> bool:
    """Whether it is a citizen's identity number: a date of birth and the right check character (GB 11643-1999)."""
    number = re.sub("[ -]", "", number)
    with suppress(ValueError):
        date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
        weighted = sum(int(digit) * weight for digit, weight in zip(number, _ID_WEIGHTS, strict=False))
        return _ID_CHECKS[weighted % 11] == number[17].upper()
    return False


def _is_ipv4(text: str) -> bool:
    with suppress(ValueError):
        dotted = re.sub(r"。|[\[(]\.[\])]", ".", text.partition("/")[0])
        return bool(ipaddress.IPv4Address(dotted))
    return False


def _is_ipv6(text: str) -> bool:
    bare = re.split(r"[%/]", text)[0]
    with suppress(ValueError):
        return bool(ipaddress.IPv6Address(bare)) and any(one in "0123456789abcdefABCDEF" for one in bare)
    return False


def _is_imei(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return luhn(digits) and len(set(digits)) > 1


_CHECKS: dict[str, Callable[[str], bool]] = {
    "ipv4": _is_ipv4, "ipv6": _is_ipv6, "imei": _is_imei, "luhn": luhn, "citizen": citizen,
}  # fmt: skip
