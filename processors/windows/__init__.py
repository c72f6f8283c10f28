"""Windows of measurements: tallied where the events are, then merged per series."""
