"""Data and applications: resolution of identifiers."""
