"""Asks for assessments of how fair, private and transparent a version is, and reads them."""
