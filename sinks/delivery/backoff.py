"""Answers how long to wait before a delivery is tried again: exponential, with jitter, capped."""

FIRST_S = 1.0
_MOST_DOUBLINGS = 32


def backoff_s(
    failures: int, chance: float, longest_s: float, asked_s: float | None = None
) -> float:
    """Seconds to wait after `failures` (1 or more) attempts in a row went wrong.

    1 s doubles with each failure up to `longest_s`; half of it is certain, the other half is
    spread by `chance` (0 to 1), so that senders do not come back all at once. What the receiver
    asked for (Retry-After) is the least, but never more than `longest_s`.
    """
    ceiling = min(longest_s, FIRST_S * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))
    wait = ceiling * (0.5 + 0.5 * chance)
    return min(longest_s, max(wait, asked_s or 0.0))
