"""The registry: the single writer that gives every model artifact its version."""
