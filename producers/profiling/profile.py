"""Makes the fact that says what a version's features looked like in a stated data set."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy.typing as npt

from modeltrail.producers.profiling.features import feature_profile
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import ReferenceProfiled
from modeltrail.schemas.ids import Micros, Sha256, check_id, new_event_id


@dataclass(frozen=True, slots=True)
class Dataset:
    """Where a reference comes from."""

    name: str
    sha256: Sha256
    rows: int


def reference_profile(
    model: RegisteredModel,
    dataset: Dataset,
    columns: Mapping[str, npt.ArrayLike],
    now_us: Micros,
    profiled_by: str = "",
) -> ReferenceProfiled:
    """Profile every column.

    Rows are taken to be independent: of a recording, give one that is long beside the time over
    which its values depend on each other.

    Args:
        model: whose version it is.
        dataset: what the columns are from.
        columns: values by metric name, each 1-d; NaN is a missing one.
        now_us: when, us since the epoch.
        profiled_by: who asks.

    Raises:
        InvalidFact: no columns, or one that cannot be profiled.
    """
    if not columns:
        raise InvalidFact("the data set has no column of numbers: name its features and their file")
    return ReferenceProfiled(
        new_event_id(),
        now_us,
        model.model_id,
        model.version,
        check_id("dataset", dataset.name),
        dataset.sha256,
        dataset.rows,
        tuple(feature_profile(name, column) for name, column in columns.items()),
        profiled_by,
    )
