"""Answers how much light a node of the demo has, and how large its detector's input is."""

from dataclasses import dataclass

_DARKEST = 0.02
LARGER = 4


@dataclass(frozen=True, slots=True)
class Conditions:
    """What changes while a node runs.

    Attributes:
        seconds: how long it runs.
        size: width and height of the detector's input.
        dims_from: seconds after which the light begins to dim.
        larger: from and until when, in seconds, the input is `LARGER` times as wide and high.
        light: share of the light at the beginning, 0 to 1.
    """

    seconds: float
    size: tuple[int, int]
    dims_from: float = 0.0
    larger: tuple[float, float] = (0.0, 0.0)
    light: float = 1.0

    def size_at(self, elapsed: float) -> tuple[int, int]:
        """Width and height of the input after so many seconds."""
        factor = LARGER if self.larger[0] <= elapsed < self.larger[1] else 1
        return self.size[0] * factor, self.size[1] * factor

    def light_at(self, elapsed: float) -> float:
        """Share of the light that is left after so many seconds."""
        dimming = max(self.seconds - self.dims_from, 1.0)
        dimmed = min(1.0, max(0.0, elapsed - self.dims_from) / dimming)
        return self.light * (1.0 - (1.0 - _DARKEST) * dimmed)
