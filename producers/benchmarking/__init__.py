"""Measures a version beside the one in production, in processes that cannot hurt the node."""
