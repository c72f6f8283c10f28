"""Types river's ADWIN, which tells that the mean of a stream is no longer the one it was.

Bifet and Gavalda: "Learning from time-changing data with adaptive windowing", SIAM SDM 2007.
"""

#: The chance of a false alarm at one value, as the authors bound it.
_DELTA = 0.002
_FEWEST_A_SIDE = 5


class AdaptiveWindow:
    """A window over a stream that has had one mean so far."""

    def __init__(self) -> None:
        # With it come pandas and scikit-learn, 110 MB: only streams of truth are worth that.
        from river.drift import ADWIN

        # Values come every 10 s: there is time to look at each (`clock`).
        self._detector = ADWIN(delta=_DELTA, clock=1, min_window_length=_FEWEST_A_SIDE)  # type: ignore[no-untyped-call]

    def changed_with(self, value: float) -> bool:
        """Take a value, on a scale where the scatter is about 1; whether the mean has changed."""
        self._detector.update(value)  # type: ignore[no-untyped-call]
        return bool(self._detector.drift_detected)
