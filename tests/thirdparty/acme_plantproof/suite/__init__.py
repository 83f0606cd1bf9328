"""Suites of Acme's indicators."""
