"""Campaigns beside each other: what changed between two, and how values went over years."""

from reports.comparison.compare import Comparison
from reports.comparison.compare import asked_otherwise
from reports.comparison.compare import compare
from reports.comparison.compare import planned
from reports.comparison.series import Series
from reports.comparison.series import series

__all__ = ["Comparison", "Series", "asked_otherwise", "compare", "planned", "series"]
