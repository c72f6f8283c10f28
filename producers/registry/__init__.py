"""Models: storing artifacts, asking for versions, reading what is registered."""
