"""Answers what a tabular model decides by: the accuracy that it loses when a column is permuted.

Source: Breiman, "Random Forests", Machine Learning 45, 2001; model-agnostic in Fisher, Rudin and
Dominici, "All Models are Wrong, but Many are Useful", JMLR 20, 2019.
"""

import numpy as np

from modeltrail.processors.ethics.figures import Figure
from modeltrail.processors.ethics.intervals import student
from modeltrail.processors.ethics.scoring import Feeds, TabularModel
from modeltrail.schemas.assessment_settings import ExplainSettings


class Sample:
    """A random sample of rows, drawn while they pass: those with the lowest of random numbers."""

    def __init__(self, size: int, chance: np.random.Generator) -> None:
        self._size = size
        self._chance = chance
        self._drawn = np.zeros(0)
        self.feeds: Feeds = {}
        self.truth = np.zeros(0, dtype=object)

    def add(self, feeds: Feeds, truth: list[str]) -> None:
        """Take rows that have every input and a truth."""
        drawn = np.concatenate([self._drawn, self._chance.random(len(truth))])
        kept = np.argsort(drawn, kind="stable")[: self._size]
        joined = {
            name: np.concatenate([self.feeds[name], values]) if self.feeds else values
            for name, values in feeds.items()
        }
        self.feeds = {name: values[kept] for name, values in joined.items()}
        self.truth = np.concatenate([self.truth, np.array(truth, dtype=object)])[kept]
        self._drawn = drawn[kept]


def importance_of(
    model: TabularModel,
    sample: Sample,
    settings: ExplainSettings,
    confidence: float,
    chance: np.random.Generator,
) -> dict[str, Figure]:
    """The importance of each column.

    Raises:
        Refused: the model fails.
    """
    rows = len(sample.truth)
    base = _accuracy(model, sample.feeds, sample)
    found = {}
    for name, (feed, place) in _columns(model, sample.feeds).items():
        drops = np.array(
            [
                base - _accuracy(model, _permuted(sample.feeds, feed, place, chance), sample)
                for _ in range(settings.repeats)
            ]
        )
        mean, variance = float(drops.mean()), float(drops.var(ddof=1))
        low, high = student(mean, variance, len(drops), confidence)
        found[name] = Figure("permutation_importance", mean, rows, low, high)
    return found


def _columns(model: TabularModel, feeds: Feeds) -> dict[str, tuple[str, int]]:
    """Of each column the input that it is in, and its place there."""
    if len(feeds) == 1 and len(model.columns) > 1:
        (feed,) = feeds
        return {name: (feed, place) for place, name in enumerate(model.columns)}
    return {name: (name, 0) for name in feeds} if len(feeds) > 1 else {
        model.columns[0]: (next(iter(feeds)), 0)
    }  # fmt: skip


def _permuted(feeds: Feeds, feed: str, place: int, chance: np.random.Generator) -> Feeds:
    changed = feeds[feed].copy()
    changed[:, place] = chance.permutation(changed[:, place])
    return {**feeds, feed: changed}


def _accuracy(model: TabularModel, feeds: Feeds, sample: Sample) -> float:
    predicted = np.array(model.predict(feeds), dtype=object)
    if model.only_favourable:
        same = (predicted == model.favourable) == (sample.truth == model.favourable)
    else:
        same = predicted == sample.truth
    return float(np.mean(same))
