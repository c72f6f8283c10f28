"""Facts to facts: one folder a capability, each a pure fold with a thin agent around it."""
