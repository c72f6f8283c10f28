"""Assesses how fair, private and transparent a version is, on stated data."""
