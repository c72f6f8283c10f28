"""Answers whether more or less of a metric is better, by its name or as the caller says."""

import re
from collections.abc import Mapping

HigherIsBetter = bool | Mapping[str, bool] | None
"""For every metric, or by name; None leaves it to the names."""

_WORD = re.compile(r"[a-z]+|\d+")
_LESS_IS_BETTER = frozenset(
    {
        *("loss", "error", "errors", "err", "mse", "rmse", "mae", "mape", "rmsle", "nll", "bce"),
        *("entropy", "perplexity", "ppl", "divergence", "kl", "brier", "ece", "wer", "cer", "ter"),
        *("fid", "fpr", "fnr", "eer", "regret", "cost", "penalty", "distance", "deviance"),
        *("latency", "duration", "time", "elapsed", "ms", "us", "ns", "seconds", "memory", "mb"),
        *("bytes", "dropped", "missed", "unmasked", "misses", "failures"),
    }
)


def is_higher_better(metric: str, said: HigherIsBetter = None) -> bool:
    """Whether the highest value of `metric` is its best.

    What the caller says counts first. Else a name with a word that stands for a loss, an error, a
    time or a cost (`val_loss`, `latency_ms`, `RMSE`) means less is better, and any other more.
    """
    if isinstance(said, Mapping):
        if metric in said:
            return said[metric]
    elif said is not None:
        return said
    return _LESS_IS_BETTER.isdisjoint(_words(metric))


def _words(metric: str) -> list[str]:
    # valLoss and val_loss are the same words; RMSE is one.
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", metric)
    return _WORD.findall(spaced.lower())
