"""Nodes that follow the log: what the routing asks for is loaded, swapped in and reported."""
