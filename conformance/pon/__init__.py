"""Suites of the industrial PON pillar."""
