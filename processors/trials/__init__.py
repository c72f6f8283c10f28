"""Measures the sessions that trials compare: measurements to SessionsMeasured."""
