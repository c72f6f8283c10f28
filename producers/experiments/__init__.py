"""Experiments: recording runs and comparing them."""
