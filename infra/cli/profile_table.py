"""Shows a reference profile: a line a feature, with a small histogram of its values."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from rich import box
from rich.table import Table
from rich.text import Text

from modeltrail.schemas.events import FeatureKind, FeatureProfile

_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = 24


def profile_table(
    features: Iterable[FeatureProfile], values: Mapping[str, npt.NDArray[np.float64]]
) -> Table:
    """The table; `values` are what the features were profiled from."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("feature", "kind"):
        table.add_column(heading)
    for heading in ("values", "missing", "min", "median", "max", "bins"):
        table.add_column(heading, justify="right")
    table.add_column("spread")
    for feature in features:
        column = values[feature.name]
        held = column[np.isfinite(column)]
        numbers = (held.min(), np.median(held), held.max())
        table.add_row(
            Text(feature.name),
            feature.kind.value.lower(),
            f"{sum(feature.counts):,}",
            f"{len(column) - sum(feature.counts):,}",
            *(f"{number:.4g}" for number in numbers),
            str(len(feature.counts)),
            _histogram(feature, held),
        )
    return table


def _histogram(feature: FeatureProfile, held: npt.NDArray[np.float64]) -> str:
    if feature.kind is FeatureKind.CATEGORICAL:
        return _bars(np.array(feature.counts))
    # A few outliers would squeeze everything else into one bar.
    low, high = np.quantile(held, (0.005, 0.995)).tolist()
    return _bars(np.histogram(np.clip(held, low, high), bins=_COLUMNS)[0])


def _bars(counts: npt.NDArray[np.integer]) -> str:
    """A bar a count; one without values stays empty."""
    heights = np.ceil(counts * len(_BARS) / counts.max()).astype(int)
    return "".join(_BARS[height - 1] if height else " " for height in heights.tolist())
