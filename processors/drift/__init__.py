"""Measures how far models have drifted from their references, and where their quality changed."""
