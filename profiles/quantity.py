"""Quantities: exact numbers with a unit of the closed list in ``units.txt``.

Magnitudes are fractions, so that nothing is rounded before it is compared: 89.96 % is never 90.0 %. Only
:func:`format_number` rounds, for reading, and never across a limit. pint is imported on first use.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING
from typing import Any

from profiles.language import Texts
from profiles.language import current_language

if TYPE_CHECKING:
    import pint

#: Longest text and largest power of ten that are read: a profile must not be able to ask for a number of 10^9 digits.
_MAX_CHARACTERS = 80
_QUANTITY = re.compile(
    r"(?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2}(?![0-9]))?)"
    r"(?P<rest>(?![0-9.,]|[eE][+-]?[0-9]).*)"
)
_NOT_FINITE = re.compile(r"[+-]?(?:(?:nan|inf(?:inity)?)\b|∞)", re.IGNORECASE)
_LEAST_PLAIN, _MOST_PLAIN = -7, 15  #: powers of ten that are written without an exponent
_EXPONENT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_COMMON_UNITS = "%, ms, Mbit/s, dBm, count"


class QuantityError(ValueError):
    """A text that is not a quantity; ``code`` and ``facts`` name a text of ``profiles/texts.toml``."""

    def __init__(self, code: str, **facts: str) -> None:
        self.code = code
        self.facts = facts
        super().__init__(Texts.of("profiles").get(code, **facts))


@dataclass(frozen=True, slots=True)
class Quantity:
    """A magnitude and its unit, as written; ``1`` is the unit of a bare number."""

    magnitude: Fraction
    unit: str

    def to(self, unit: str) -> Quantity:
        """The same quantity in ``unit``, exactly.

        Raises:
            QuantityError: if the unit is unknown or of another dimension.
        """
        return Quantity(self.magnitude * factor(self.unit, unit), unit)

    def compare(self, other: Quantity) -> int:
        """-1, 0 or 1: whether this is less than, equal to or greater than ``other``, exactly.

        Raises:
            QuantityError: if the two are of different dimensions.
        """
        return _sign(self.magnitude - other.to(self.unit).magnitude)

    def __str__(self) -> str:
        return format_quantity(self, "en")


def parse_quantity(text: str) -> Quantity:
    """Read a quantity such as ``10 ms``, ``10ms``, ``-105 dBm``, ``99.999 %`` or ``0 count``.

    Raises:
        QuantityError: (a ``ValueError``) if there is no finite decimal number, no unit, or no such unit.
    """
    # NFKC turns full-width digits, ％ and the micro sign into the characters that units.txt knows.
    plain = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-").strip()
    found = _QUANTITY.fullmatch(plain) if len(plain) <= _MAX_CHARACTERS else None
    if found is None:
        code = "problem.quantity-not-finite" if _NOT_FINITE.match(plain) else "problem.quantity-not-a-number"
        raise QuantityError(code, found=repr(text[:_MAX_CHARACTERS]))
    unit = found["rest"].strip()
    if not unit:
        raise QuantityError("problem.quantity-without-unit", found=repr(text))
    check_unit(unit)
    return Quantity(Fraction(found["number"]), unit)


def exact(value: float) -> Fraction:
    """The decimal number that a finite float is written as: 0.1 is one tenth, not the nearest binary fraction.

    Observations are stored and shown in that form, so a reader who compares by hand gets the same verdict.

    Raises:
        ValueError: for NaN and infinities.
    """
    return Fraction(repr(float(value)))


def check_unit(unit: str) -> None:
    """Do nothing if ``unit`` is spelled as in ``units.txt``, possibly joined by one ``/``.

    Raises:
        QuantityError: if it is not, with the nearest known spelling.
    """
    names = _spellings()
    for name in _parts(unit):
        if name not in names:
            folded = {known.casefold(): known for known in names}
            near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
            hint = unit.replace(name, folded[near[0]], 1) if near else _COMMON_UNITS
            raise QuantityError("problem.unknown-unit", found=repr(unit), hint=hint)


@lru_cache(maxsize=1024)
def factor(unit: str, other: str) -> Fraction:
    """What a magnitude in ``unit`` is multiplied by to be one in ``other``, exactly.

    Raises:
        QuantityError: if a unit is unknown or the two are of different dimensions.
    """
    if not compatible(unit, other):
        raise QuantityError("problem.unit-mismatch", found=unit, expected=other)
    registry = _registry()
    return Fraction(registry.convert(Fraction(1), registry.parse_units(unit), registry.parse_units(other)))


@lru_cache(maxsize=1024)
def compatible(unit: str, other: str) -> bool:
    """Whether quantities in these two units can be compared.

    Raises:
        QuantityError: if one of them is not a unit of ``units.txt``.
    """
    check_unit(unit)
    check_unit(other)
    dimensions = [_registry().get_dimensionality(_registry().parse_units(name)) for name in (unit, other)]
    return bool(dimensions[0] == dimensions[1])


def format_quantity(quantity: Quantity, language: str | None = None, *, limit: Quantity | None = None) -> str:
    """The quantity for people, as :func:`format_number` has it; ``limit`` is of the same dimension."""
    bound = limit.to(quantity.unit).magnitude if limit is not None else None
    return format_number(quantity.magnitude, bound) + _unit_text(quantity.unit, language)


def format_number(number: Fraction, limit: Fraction | None = None, *, digits: int = 4) -> str:
    """The number for people: rounded half to even to ``digits`` significant digits or more, and no integer at all.

    With a ``limit``, as many more digits are shown as it takes for the shown number to stand on the same side of the
    limit as the exact one. Very large and very small numbers are written with a power of ten.
    """
    decimals = _decimals(number, digits)
    if limit is not None and (number != limit or _is_decimal(number)):
        while _sign(_scaled(number, decimals) - _shifted(limit, decimals)) != _sign(number - limit):
            decimals += 1
    return _written(_scaled(number, decimals), decimals)


def _written(scaled: int, decimals: int) -> str:
    """``scaled`` times 10^-``decimals`` in groups of three digits, without trailing zeros."""
    digits = str(abs(scaled))
    power = len(digits) - 1 - decimals
    if scaled and not _LEAST_PLAIN <= power <= _MOST_PLAIN:
        text = f"{digits[0]}.{digits[1:]}".rstrip("0").rstrip(".") + f" × 10{str(power).translate(_EXPONENT)}"
    else:
        digits = digits.rjust(decimals + 1, "0")
        whole, part = digits[: len(digits) - decimals], digits[len(digits) - decimals :].rstrip("0")
        text = f"{int(whole):,}" + (f".{part}" if part else "")
    return "\N{MINUS SIGN}" + text if scaled < 0 else text


def _unit_text(unit: str, language: str | None) -> str:
    """The unit as it follows a number: GB/T 15835 sets no space before % in Chinese, the SI brochure one elsewhere."""
    chinese = (language or current_language()) == "zh"
    if unit == "1":
        return ""
    if unit == "count":
        return " 个" if chinese else ""
    return unit if chinese and unit in ("%", "‰") else f" {unit}"


def _decimals(number: Fraction, digits: int) -> int:
    """Decimals that show so many digits, counted from the first that is not zero; negative for a power of ten."""
    top, bottom = abs(number.numerator), number.denominator
    leading = len(str(top)) - len(str(bottom))
    if _shifted(Fraction(bottom), leading) > top:
        leading -= 1
    return digits - 1 - leading if leading > _MOST_PLAIN else max(0, digits - 1 - leading)


def _is_decimal(number: Fraction) -> bool:
    """Whether a finite number of decimals writes it exactly: its denominator divides a power of ten."""
    return pow(10, number.denominator.bit_length(), number.denominator) == 0


def _scaled(magnitude: Fraction, decimals: int) -> int:
    return round(_shifted(magnitude, decimals))


def _shifted(number: Fraction, decimals: int) -> Fraction:
    """``number`` times 10^``decimals``; a fraction's own power would be many times slower."""
    power = int(10 ** abs(decimals))
    return number * power if decimals >= 0 else number / power


def _sign(number: Fraction | int) -> int:
    return (number > 0) - (number < 0)


def _parts(unit: str) -> list[str]:
    return [] if unit == "1" else [part.strip() for part in unit.split("/", 1)]


@cache
def _definitions() -> tuple[str, ...]:
    text = files("profiles").joinpath("units.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def _spellings() -> frozenset[str]:
    """Every spelling of ``units.txt``; pint by itself would also take plurals, products and arithmetic."""
    names: set[str] = set()
    for line in _definitions():
        name, _, *symbols = (part.strip() for part in line.split("="))
        names.update({name, *symbols} - {"_"})
    return frozenset(names)


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Fraction, on_redefinition="raise")
    registry.load_definitions(list(_definitions()))
    return registry
