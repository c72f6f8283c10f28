"""The programs of the stack, one module each."""
