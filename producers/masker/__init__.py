"""The instrumented node of the demo: a real face detector masks real frames and is measured."""
