"""Judges windows, single values and drift by the rules, and keeps each alert's life."""
