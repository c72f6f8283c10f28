"""Waits for a condition instead of for a time."""

import time
from collections.abc import Callable

_POLL_S = 0.05


def eventually(
    condition: Callable[[], object], patience_s: float = 300.0, poll_s: float = _POLL_S
) -> None:
    """Poll until `condition` is true.

    Raises:
        AssertionError: it was not within `patience_s`.
    """
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience_s} s"
        time.sleep(poll_s)
