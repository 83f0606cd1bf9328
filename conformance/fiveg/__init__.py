"""Suites of the 5G pillar."""
