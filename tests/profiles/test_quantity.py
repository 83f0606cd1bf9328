"""Quantities: exact, closed, and never rounded across a limit."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st

from profiles.quantity import Quantity
from profiles.quantity import QuantityError
from profiles.quantity import check_unit
from profiles.quantity import compatible
from profiles.quantity import exact
from profiles.quantity import factor
from profiles.quantity import format_number
from profiles.quantity import format_quantity
from profiles.quantity import parse_quantity

UNITS = ["s", "ms", "us", "ns", "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "byte", "kB", "MB", "GB", "KiB", "MiB", "GiB"]
UNITS += ["%", "pp", "1", "dBm", "dB", "FLOPS", "TFLOPS", "EFLOPS", "TOPS", "GB/s", "Hz", "m", "count", "packets/s"]


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_of_the_field_is_known(unit: str) -> None:
    assert parse_quantity(f"12.5 {unit}") == Quantity(Fraction(25, 2), unit)
    assert compatible(unit, unit)


@pytest.mark.parametrize(
    ("text", "magnitude", "unit"),
    [
        ("10 ms", Fraction(10), "ms"),
        ("10ms", Fraction(10), "ms"),
        (" 100% ", Fraction(100), "%"),
        ("99.99999 %", Fraction(9999999, 100000), "%"),
        ("-105 dBm", Fraction(-105), "dBm"),
        ("−105 dBm", Fraction(-105), "dBm"),
        ("９０％", Fraction(90), "%"),
        ("5 µs", Fraction(5), "μs"),
        ("1e3 Mbit/s", Fraction(1000), "Mbit/s"),
        ("1.5e-3GB/s", Fraction(3, 2000), "GB/s"),
        ("10EFLOPS", Fraction(10), "EFLOPS"),
        ("0 count", Fraction(0), "count"),
    ],
)
def test_reads_what_people_write(text: str, magnitude: Fraction, unit: str) -> None:
    assert parse_quantity(text) == Quantity(magnitude, unit)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("10", "problem.quantity-without-unit", "10 ms"),
        ("1e5", "problem.quantity-without-unit", "unit"),
        ("nan ms", "problem.quantity-not-finite", "finite"),
        ("-inf ms", "problem.quantity-not-finite", "finite"),
        ("∞ ms", "problem.quantity-not-finite", "finite"),
        ("ten ms", "problem.quantity-not-a-number", "number"),
        ("", "problem.quantity-not-a-number", "number"),
        ("1,000 ms", "problem.quantity-not-a-number", "thousands"),
        ("1.2.3 s", "problem.quantity-not-a-number", "number"),
        ("1e999999999 s", "problem.quantity-not-a-number", "number"),
        ("9" * 100 + " s", "problem.quantity-not-a-number", "number"),
        ("10 furlong", "problem.unknown-unit", "Mbit/s"),
        ("10 mbit/s", "problem.unknown-unit", "Mbit/s"),
        ("10 mss", "problem.unknown-unit", "ms"),
        ("10 s*s", "problem.unknown-unit", "s*s"),
        ("10 ms/s/s", "problem.unknown-unit", "s/s"),
        ("1/2 s", "problem.unknown-unit", "/2 s"),
    ],
)
@pytest.mark.usefixtures("english")
def test_refuses_what_is_no_quantity_and_says_why(text: str, code: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_quantity(text)
    assert isinstance(refused.value, QuantityError)
    assert refused.value.code == code
    assert says in str(refused.value)


@given(st.text(max_size=100) | st.from_regex(r"[+-]?[0-9]{1,5}[.,e][0-9]{0,9} ?[a-zA-Z%/*()^0-9]{0,9}"))
def test_any_text_is_a_quantity_or_a_value_error(text: str) -> None:
    try:
        read = parse_quantity(text)
    except ValueError:
        return
    check_unit(read.unit)
    assert abs(read.magnitude) < Fraction(10) ** 200


@pytest.mark.parametrize(
    ("unit", "other", "by"),
    [
        ("s", "ms", Fraction(1000)),
        ("ns", "s", Fraction(1, 10**9)),
        ("Mbit/s", "kB/s", Fraction(125)),
        ("Mbps", "Mbit/s", Fraction(1)),
        ("GiB", "byte", Fraction(2**30)),
        ("GB/s", "Gbit/s", Fraction(8)),
        ("%", "1", Fraction(1, 100)),
        ("ppm", "%", Fraction(1, 10**4)),
        ("EFLOPS", "TFLOPS", Fraction(10**6)),
        ("packets/s", "count/s", Fraction(1)),
        ("kHz", "Hz", Fraction(1000)),
        ("h", "s", Fraction(3600)),
    ],
)
def test_factors_are_exact(unit: str, other: str, by: Fraction) -> None:
    assert factor(unit, other) == by
    assert factor(other, unit) == 1 / by
    assert isinstance(factor(unit, other), Fraction)


@pytest.mark.parametrize(
    ("unit", "other"),
    [
        ("dBm", "dB"),
        ("dBm", "1"),
        ("dB", "1"),
        ("dB", "%"),
        ("pp", "%"),
        ("FLOPS", "OPS"),
        ("TFLOPS", "TOPS"),
        ("ms", "%"),
        ("Mbit/s", "MB"),
        ("Hz", "packets/s"),
        ("count", "1"),
    ],
)
def test_unlike_quantities_never_meet(unit: str, other: str) -> None:
    assert not compatible(unit, other)
    with pytest.raises(QuantityError):
        parse_quantity(f"1 {unit}").compare(parse_quantity(f"1 {other}"))


@given(st.integers(-(10**30), 10**30), st.integers(0, 30), st.sampled_from(["s", "ms", "us", "h", "d"]), st.data())
def test_conversion_there_and_back_loses_nothing(digits: int, decimals: int, unit: str, data: st.DataObject) -> None:
    quantity = Quantity(Fraction(digits, 10**decimals), unit)
    other = data.draw(st.sampled_from(["ns", "ms", "min", "h"]))
    assert quantity.to(other).to(unit) == quantity
    assert quantity.compare(quantity.to(other)) == 0


def test_comparison_is_exact() -> None:
    assert parse_quantity("0.3 s").compare(parse_quantity("300 ms")) == 0
    assert parse_quantity("299.9999999999999999999999 ms").compare(parse_quantity("0.3 s")) == -1
    assert parse_quantity("0.1 s").compare(Quantity(exact(0.1), "s")) == 0
    assert exact(0.1) + exact(0.2) == exact(0.3)


@pytest.mark.parametrize(
    ("text", "limit", "zh", "en"),
    [
        ("89.96 %", "90 %", "89.96%", "89.96 %"),
        ("89.9996 %", "90 %", "89.9996%", "89.9996 %"),
        ("89.9996 %", None, "90%", "90 %"),
        ("90.00000004 %", "0.9 1", "90.00000004%", "90.00000004 %"),
        ("90 %", "90 %", "90%", "90 %"),
        ("12345678.9 bit/s", None, "12,345,679 bit/s", "12,345,679 bit/s"),
        ("0.00012345 s", None, "0.0001234 s", "0.0001234 s"),
        ("-1234.56 dBm", None, "−1,235 dBm", "−1,235 dBm"),
        ("-105 dBm", "-105 dBm", "−105 dBm", "−105 dBm"),
        ("0.00000000125 s", None, "1.25 × 10⁻⁹ s", "1.25 × 10⁻⁹ s"),
        ("1.00000000125e-9 s", "1 ns", "1.000000001 × 10⁻⁹ s", "1.000000001 × 10⁻⁹ s"),
        ("0.0000001 s", None, "0.0000001 s", "0.0000001 s"),
        ("999999999999999 bit", None, "999,999,999,999,999 bit", "999,999,999,999,999 bit"),
        ("-12345e15 bit", None, "−1.234 × 10¹⁹ bit", "−1.234 × 10¹⁹ bit"),
        ("1e16 bit", None, "1 × 10¹⁶ bit", "1 × 10¹⁶ bit"),
        ("99.99999 %", "99.99999 %", "99.99999%", "99.99999 %"),
        ("0 ms", None, "0 ms", "0 ms"),
        ("3 count", None, "3 个", "3"),
        ("0.5 1", None, "0.5", "0.5"),
    ],
)
def test_is_written_for_people(text: str, limit: str | None, zh: str, en: str) -> None:
    bound = parse_quantity(limit) if limit else None
    assert format_quantity(parse_quantity(text), "zh", limit=bound) == zh
    assert format_quantity(parse_quantity(text), "en", limit=bound) == en


def _read(text: str) -> Fraction:
    digits, _, power = text.removesuffix(" %").replace(",", "").replace("−", "-").partition(" × 10")
    return Fraction(digits) * Fraction(10) ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


@given(st.decimals(-(10**6), 10**6, places=9).map(Fraction), st.integers(-30, 30))
def test_a_limit_is_shown_with_all_its_digits(number: Fraction, power: int) -> None:
    limit = number * Fraction(10) ** power
    assert _read(format_number(limit, limit)) == limit


@given(st.fractions(), st.integers(-30, 30), st.integers(1, 8))
def test_what_is_shown_is_as_exact_as_it_looks(number: Fraction, power: int, digits: int) -> None:
    exact_one = number * Fraction(10) ** power
    shown = _read(format_number(exact_one, digits=digits))
    assert abs(shown - exact_one) * 2 <= abs(exact_one) * Fraction(10) ** (1 - digits)
    assert format_number(shown, digits=digits) == format_number(exact_one, digits=digits)


def test_a_third_against_itself_ends() -> None:
    assert format_number(Fraction(1, 3), Fraction(1, 3)) == "0.3333"


@given(
    st.fractions(-1000, 1000) | st.sampled_from([Fraction(90), Fraction(9, 10) * 100]),
    st.decimals(-1000, 1000, places=3).map(Fraction),
    st.integers(1, 8),
)
def test_the_shown_number_stands_on_the_exact_one_s_side_of_the_limit(
    value: Fraction, limit: Fraction, digits: int
) -> None:
    shown = format_number(value, limit, digits=digits)
    assert (_read(shown) > limit) == (value > limit)
    assert (_read(shown) < limit) == (value < limit)


@given(st.integers(1, 10**9), st.integers(-40, 40))
def test_a_value_a_hair_from_the_limit_is_told_apart(digits: int, exponent: int) -> None:
    limit = Quantity(Fraction(90), "%")
    value = Quantity(limit.magnitude - Fraction(1, digits) * Fraction(10) ** exponent, "%")
    assume(abs(value.magnitude) < 10**12)
    assert _read(format_quantity(value, "en", limit=limit)) < 90


def test_pint_and_scipy_are_not_imported_before_they_are_needed() -> None:
    program = "import sys, profiles.judge, profiles.quantity; print([m for m in ('pint', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
