"""Measures how far series are from their references in the windows that their policies judge."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from modeltrail.processors.drift.collecting import Sample, Stretch, collected
from modeltrail.processors.drift.evidence import weighed
from modeltrail.processors.drift.history import BUCKET_US, History
from modeltrail.processors.drift.series import Series, SeriesState
from modeltrail.processors.drift.verdict import verdicts
from modeltrail.schemas.events import DriftMeasured, DriftPolicySet
from modeltrail.schemas.ids import Micros, derived_event_id
from modeltrail.schemas.rule_problems import WINDOWS

#: Numbers of the series that are taken at once: 1 MB, and about thrice as much to work on them.
_AT_ONCE = 1 << 17


class Due(NamedTuple):
    """A series whose window is to be measured, over the reference of its history."""

    series: Series
    state: SeriesState
    history: History
    policy: DriftPolicySet


def is_due(history: History, policy: DriftPolicySet, end: Micros) -> bool:
    """Whether a window of the policy's length ends at `end`, and has a bucket."""
    length = WINDOWS[policy.window]
    return end % length == 0 and history.newest > end - length


def measured(due: Sequence[Due], end: Micros) -> Iterator[DriftMeasured]:
    """The windows that end at `end` beside their references, in the order of `due`.

    A series without a value in its window that was counted over its reference is left out. Each
    other gets what it would get alone, to the last digit.
    """
    samples = _samples(due, end)
    evidence = iter(weighed([sample for of_one in samples for sample in of_one]))
    for (series, state, history, policy), of_one in zip(due, samples, strict=True):
        found = list(islice(evidence, len(of_one)))
        if not found:
            continue
        reference, window = history.reference, policy.window
        yield DriftMeasured(
            derived_event_id(DriftMeasured.record, *series, window, end),
            *series,
            window=window,
            start=Micros(end - WINDOWS[window]),
            end=end,
            profile_id=reference.profile_id,
            features=verdicts(found, policy, state.streaks(reference, window, end)),
        )


def _samples(due: Sequence[Due], end: Micros) -> list[list[Sample]]:
    """The samples of each, in the same order."""
    stretches = [_stretch(one, end) for one in due]
    buckets = [int(np.count_nonzero(stretch.known)) for stretch in stretches]
    found: dict[int, list[Sample]] = {}
    # Side by side those with as many buckets: they are stacked.
    rising = sorted(range(len(due)), key=buckets.__getitem__)
    for part in _parts(rising, [_numbers(*pair) for pair in zip(stretches, buckets, strict=True)]):
        found.update(zip(part, collected([stretches[at] for at in part]), strict=True))
    return [found[at] for at in range(len(due))]


def _parts(places: Sequence[int], numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Cut `places` so that what is at those of a part has few enough numbers together."""
    first = total = 0
    for at, place in enumerate(places):
        if at > first and total + numbers[place] > _AT_ONCE:
            yield places[first:at]
            first, total = at, 0
        total += numbers[place]
    if places:
        yield places[first:]


def _numbers(stretch: Stretch, buckets: int) -> int:
    """How many are worked on: one for each weight of each feature and each bucket."""
    return buckets * sum(len(feature.weights) for feature, _ in stretch.features)


def _stretch(one: Due, end: Micros) -> Stretch:
    reference, policy = one.history.reference, one.policy
    features = [
        (feature, place)
        for feature, place in zip(reference.features, reference.slices, strict=True)
        if not policy.features or feature.name in policy.features
    ]
    buckets_a_window = WINDOWS[policy.window] // BUCKET_US
    enough = policy.minimum_effective_samples
    known = one.history.known(end)
    return Stretch(one.history, end, known, features, buckets_a_window, enough)
