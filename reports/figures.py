"""Numbers and times for readers: never rounded across a limit, always with their unit or their zone."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from datetime import UTC
from datetime import datetime
from datetime import tzinfo
from decimal import Decimal

from profiles.quantity import QuantityError
from profiles.quantity import parse_quantity
from profiles.requirement import Threshold
from reports.result import Result
from reports.wording import SIGNS

_SIGNIFICANT = 4
_MOST_SIGNIFICANT = 17  #: enough to tell any two doubles apart
_LEAST_PLAIN, _MOST_PLAIN = -7, 15  #: powers of ten written without an exponent
_COMPARE = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "==": operator.eq}
_EXPONENT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, limit: float | None = None, op: str = ">=") -> str:
    """``value`` with four significant digits or more: no integer is rounded, and nothing across ``limit``."""
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "–")
    exact = Decimal(repr(float(value)))
    for significant in range(_SIGNIFICANT, _MOST_SIGNIFICANT + 1):
        rounded = _round(exact, significant)
        if limit is None or (_same_side(value, float(rounded), limit, op)):
            return _plain(rounded)
    return _plain(exact)


def count(value: int) -> str:
    """A number of objects, in groups of three digits."""
    return f"{value:,}"


def with_unit(text: str, unit: str) -> str:
    """A number and its unit, kept on one line; the bare number 1 is no unit."""
    return text if unit in ("", "1") else f"{text}\u00a0{unit}"


def value_of(result: Result) -> str:
    """The result's value with its unit, or ``–``."""
    if result.value is None:
        return "–"
    limit = limit_of(result)
    op = result.threshold.op if result.threshold else ">="
    return with_unit(number(result.value, limit, op), result.unit)


def share_of(result: Result) -> str:
    """The counts behind a ratio, such as ``39/40``, or nothing."""
    if result.numerator is None or result.denominator is None:
        return ""
    return f"{count(result.numerator)}/{count(result.denominator)}"


def value_with_share(result: Result) -> str:
    """The value, and before it the counts it comes from: ``39/40 = 97.5 %``."""
    share = share_of(result)
    return f"{share} = {value_of(result)}" if share and result.value is not None else share or value_of(result)


def interval_of(result: Result) -> str:
    """The interval, such as ``93.1 … 97.4 %``, or ``≥ 91.2 %`` where only one side is bounded."""
    if result.interval is None:
        return "–"
    limit = limit_of(result)
    op = result.threshold.op if result.threshold else ">="
    low, high = (
        side if side is None else number(side, limit, op) for side in (result.interval.low, result.interval.high)
    )
    if low is None or high is None:
        bound = f"≥\u00a0{low}" if low is not None else f"≤\u00a0{high}" if high is not None else "−∞ … ∞"
        return with_unit(bound, result.unit)
    return with_unit(f"{low} … {high}", result.unit)


def threshold_text(threshold: Threshold | None) -> str:
    """The limit as the profile writes it, such as ``≥ 100 %``, or ``–``."""
    return f"{SIGNS[threshold.op]}\u00a0{threshold.value.replace(' ', chr(0xA0))}" if threshold else "–"


def worst_first(rows: Iterable[Result], threshold: Threshold | None) -> list[Result]:
    """Results of one requirement's parts, the worst value first; parts without a value come last."""
    sign = -1 if threshold is not None and threshold.op in ("<", "<=") else 1
    return sorted(rows, key=lambda row: math.inf if row.value is None else sign * row.value)


def misses(part: Result, whole: Result) -> bool:
    """Whether a part's value is on the wrong side of the limit of the whole."""
    limit = limit_of(whole)
    if whole.threshold is None or limit is None or part.value is None:
        return False
    return not _COMPARE[whole.threshold.op](part.value, limit)


def limit_of(result: Result) -> float | None:
    """The limit in the result's unit; ``None`` where there is none, or the two units cannot be compared."""
    if result.threshold is None:
        return None
    try:
        return float(parse_quantity(result.threshold.value).to(result.unit).magnitude)
    except (QuantityError, OverflowError):
        return None


def moment(when: str | int, zone: tzinfo = UTC) -> str:
    """A moment with its zone, to the second: ``2027-01-15 16:00:00 UTC+08:00``.

    Args:
        when: ISO 8601, kept in its own zone, or nanoseconds since the Unix epoch, told in ``zone``.
            What is no moment is shown as it is written.
        zone: for nanoseconds.
    """
    try:
        told = datetime.fromisoformat(when) if isinstance(when, str) else datetime.fromtimestamp(when // 10**9, zone)
    except (ValueError, OverflowError, OSError):
        return str(when)
    offset = "" if not told.utcoffset() else told.isoformat(timespec="seconds")[19:]
    return f"{told:%Y-%m-%d %H:%M:%S}" + ("" if told.tzinfo is None else f" UTC{offset}")


def zone_of(when: str) -> tzinfo:
    """The zone in which an ISO 8601 moment is written; UTC if it has none."""
    try:
        return datetime.fromisoformat(when).tzinfo or UTC
    except ValueError:
        return UTC


def _round(value: Decimal, significant: int) -> Decimal:
    if not value:
        return value
    exponent = value.adjusted() - significant + 1
    return value.quantize(Decimal(1).scaleb(min(0, exponent) if value.adjusted() <= _MOST_PLAIN else exponent))


def _same_side(value: float, rounded: float, limit: float, op: str) -> bool:
    compare = _COMPARE[op]
    return bool(compare(value, limit) == compare(rounded, limit)) and (value == limit) == (rounded == limit)


def _plain(value: Decimal) -> str:
    """Grouped digits without an exponent; numbers too small or too large for that as ``1.2 × 10⁻⁹``."""
    if value and not _LEAST_PLAIN <= value.adjusted() <= _MOST_PLAIN:
        mantissa = value.scaleb(-value.adjusted()).normalize()
        text = f"{mantissa:f} × 10{str(value.adjusted()).translate(_EXPONENT)}"
    else:
        text = f"{value:,f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−", 1) if text.startswith("-") else text
