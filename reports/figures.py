"""Numbers and times for readers: never rounded across a limit, always with their unit or their zone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC
from datetime import datetime
from datetime import tzinfo

from profiles.evidence import Evidence
from profiles.evidence import decide
from profiles.quantity import Quantity
from profiles.quantity import QuantityError
from profiles.quantity import exact
from profiles.quantity import format_number
from profiles.quantity import parse_quantity
from profiles.requirement import Threshold
from profiles.verdict import Verdict
from reports.result import Result
from reports.wording import SIGNS


def number(value: float, limit: float | None = None) -> str:
    """``value`` as :func:`~profiles.quantity.format_number` writes it; ``–`` if it is none."""
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "–")
    return format_number(exact(value), None if limit is None else exact(limit))


def count(value: int) -> str:
    """A number of objects, in groups of three digits."""
    return f"{value:,}"


def with_unit(text: str, unit: str) -> str:
    """A number and its unit, kept on one line; bare numbers and counts have none."""
    return text if unit in ("", "1", "count") else f"{text}\u00a0{unit}"


def value_of(result: Result) -> str:
    """The result's value with its unit, or ``–``."""
    if result.value is None:
        return "–"
    return with_unit(number(result.value, limit_of(result)), result.unit)


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
    low, high = (side if side is None else number(side, limit) for side in (result.interval.low, result.interval.high))
    if low is None or high is None:
        bound = f"≥\u00a0{low}" if low is not None else f"≤\u00a0{high}" if high is not None else "−∞ … ∞"
        return with_unit(bound, result.unit)
    return with_unit(f"{low} … {high}", result.unit)


def threshold_text(threshold: Threshold | None) -> str:
    """The limit with all its digits, such as ``≥ 100 %``, or ``–``."""
    if threshold is None:
        return "–"
    try:
        limit = parse_quantity(threshold.value)
    except QuantityError:  # of another version's bundle; shown as written
        return f"{SIGNS[threshold.op]}\u00a0{threshold.value}"
    return f"{SIGNS[threshold.op]}\u00a0{with_unit(format_number(limit.magnitude, limit.magnitude), limit.unit)}"


def worst_first(rows: Iterable[Result], threshold: Threshold | None) -> list[Result]:
    """Results of one requirement's parts, the worst value first; parts without a value come last."""
    sign = -1 if threshold is not None and threshold.op in ("<", "<=") else 1
    return sorted(rows, key=lambda row: math.inf if row.value is None else sign * row.value)


def misses(part: Result, whole: Result) -> bool:
    """Whether a part's value is on the wrong side of the limit of the whole."""
    limit = limit_of(whole)
    if whole.threshold is None or limit is None or part.value is None:
        return False
    value = exact(part.value) if math.isfinite(part.value) else part.value
    seen = Evidence(part.unit, value, value, value, part.n)
    return decide(whole.threshold.op, exact(limit), seen).verdict is Verdict.FAIL


def limit_of(result: Result) -> float | None:
    """The limit in the result's unit; ``None`` where there is none, or the two units cannot be compared."""
    return limit_in(result.threshold, result.unit)


def limit_in(threshold: Threshold | None, unit: str) -> float | None:
    """The limit in ``unit``; ``None`` where there is none, or the two units cannot be compared."""
    if threshold is None:
        return None
    try:
        return float(parse_quantity(threshold.value).to(unit).magnitude)
    except (QuantityError, OverflowError):
        return None


def value_in(result: Result, unit: str) -> float | None:
    """The result's value in ``unit``; ``None`` where there is none, or the two units cannot be compared."""
    if result.value is None or not math.isfinite(result.value):
        return None
    try:
        return float(Quantity(exact(result.value), result.unit).to(unit).magnitude)
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
