"""Finds change points in the means that a metric of a series had in windows of 10 s.

ADWIN notices that the mean has changed; where it did is the split with the least squared error
(Hinkley: "Inference about the change-point in a sequence of random variables", Biometrika 57,
1970), since ADWIN only drops what is surely old. A detector is started at every full hour with the
means of the hour before, so its state never depends on more than two hours of the log.
"""

from dataclasses import dataclass

import numpy as np

from modeltrail.processors.drift.adwin import AdaptiveWindow
from modeltrail.schemas.ids import Micros

HOUR_US = 3_600_000_000
_WARM_UP = 30
_FEWEST_A_SIDE = 5
#: The median of |x - y| of two normal variables, in standard deviations.
_MEDIAN_DIFFERENCE = 0.9539


@dataclass(frozen=True, slots=True)
class Change:
    """The mean changed with the window that ends at `since`."""

    since: Micros
    mean_before: float
    mean_after: float


class Detector:
    """One run over rising window ends; the first 30 means tell how much they scatter."""

    def __init__(self) -> None:
        self._ends: list[Micros] = []
        self._means: list[float] = []
        self._scale = 0.0
        self._window = AdaptiveWindow()

    def take(self, end: Micros, mean: float) -> Change | None:
        """Take the next mean; give the change that it makes certain."""
        self._ends.append(end)
        self._means.append(mean)
        if not self._scale:
            if len(self._means) == _WARM_UP:
                self._scale = _scatter(self._means)
                self._restart()
            return None
        if not self._window.changed_with(mean / self._scale):
            return None
        split = _split(self._means)
        before, after = self._means[:split], self._means[split:]
        change = Change(self._ends[split], float(np.mean(before)), float(np.mean(after)))
        self._ends, self._means = self._ends[split:], after
        self._restart()
        return change

    def _restart(self) -> None:
        self._window = AdaptiveWindow()
        for mean in self._means:
            self._window.changed_with(mean / self._scale)


class ChangePoints:
    """The changes of one metric of one series."""

    def __init__(self) -> None:
        self._detector = Detector()
        self._hour = 0
        self._recent: list[tuple[Micros, float]] = []
        self._noticed = Micros(0)

    def take(self, end: Micros, mean: float) -> Change | None:
        """Take the mean of the window that ends at `end`; give a change that is news."""
        # A window that ends on the hour still belongs to the hour before.
        hour = (end - 1) // HOUR_US
        if hour != self._hour:
            self._begin(hour)
        self._recent.append((end, mean))
        change = self._detector.take(end, mean)
        return change if change is not None and change.since > self._noticed else None

    def noticed(self, end: Micros) -> None:
        """What changed up to `end` is in the log: a detector that starts anew may find it again."""
        self._noticed = max(self._noticed, end)

    def _begin(self, hour: int) -> None:
        self._hour = hour
        self._recent = [entry for entry in self._recent if entry[0] > (hour - 1) * HOUR_US]
        self._detector = Detector()
        for end, mean in self._recent:
            self._detector.take(end, mean)


def reaches_back_to(end: Micros) -> Micros:
    """The end of the newest window that does not matter to change points at `end`."""
    return Micros(((end - 1) // HOUR_US - 1) * HOUR_US)


def _scatter(means: list[float]) -> float:
    """A standard deviation that a change of level hardly moves; 1 for means that are all equal."""
    differences = np.abs(np.diff(means))
    return float(np.median(differences)) / _MEDIAN_DIFFERENCE or float(differences.mean()) or 1.0


def _split(means: list[float]) -> int:
    """Where to cut so that the two sides differ from their means the least."""
    values = np.asarray(means)
    left = np.arange(_FEWEST_A_SIDE, len(values) - _FEWEST_A_SIDE + 1)
    sums = np.cumsum(values - values.mean())[left - 1]
    return int(left[np.argmax(sums**2 / (left * (len(values) - left)))])
