"""Answers how sure the mean of a stream is whose neighbouring values depend on each other."""

import math
from collections.abc import Sequence

from modeltrail.schemas.intervals import MeanInterval, t_quantile

#: Fewer batches say too little about how they vary.
FEWEST_BATCHES = 5


def of_windows(means: Sequence[float], counts: Sequence[int]) -> MeanInterval:
    """The mean over windows in the order of time, and its 95 % interval from 25 windows on.

    Windows in a row are put into about sqrt(n) batches, whose means hardly depend on each other;
    the interval is Student's t over those.
    Source: Law, "Simulation Modeling and Analysis", 5th ed., 9.5.3, the method of batch means.

    Args:
        means: mean of each window.
        counts: measurements of each window, 1 or more.
    """
    total = sum(counts)
    mean = math.fsum(each * count for each, count in zip(means, counts, strict=True)) / total
    batches = int(math.sqrt(len(means)))
    if batches < FEWEST_BATCHES:
        return MeanInterval(total, mean, None, None)
    size = len(means) // batches
    whole = [means[start : start + size] for start in range(0, batches * size, size)]
    batch_means = [math.fsum(batch) / size for batch in whole]
    spread = math.fsum((each - mean) ** 2 for each in batch_means) / (batches - 1)
    half = t_quantile(batches - 1) * math.sqrt(spread / batches)
    return MeanInterval(total, mean, mean - half, mean + half)
