"""Describes a data set as the reference that drift of a model is measured against."""
