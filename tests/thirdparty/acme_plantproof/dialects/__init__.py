"""Dialects of Acme's meters."""
