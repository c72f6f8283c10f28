"""Answers how many rows share their quasi-identifiers: k-anonymity, and who stands alone."""

from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.figures import Figure

_ALONE = 1
_FEW = 5
#: An odd number: multiplying by it loses nothing modulo 2^64 (Knuth: TAOCP 3, 6.4).
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Combinations:
    """The combinations of quasi-identifiers of the rows: eight bytes each, whatever they hold.

    Of ten million rows two different combinations share a hash with a chance of 3 in a million.
    """

    def __init__(self) -> None:
        self._hashes: list[npt.NDArray[np.uint64]] = []

    def add(self, columns: list[npt.NDArray[np.int64]]) -> None:
        """Take rows, as codes of the labels of each column; missing is a label like any other."""
        hashed = np.zeros(len(columns[0]), np.uint64)
        for codes in columns:
            hashed = _mixed(hashed ^ _mixed(codes.astype(np.uint64) + _MIX))
        self._hashes.append(hashed)

    def report(self) -> dict[str, Any]:
        """The smallest set of rows, and the shares of rows that are alone or among few."""
        hashes = np.concatenate(self._hashes) if self._hashes else np.zeros(0, np.uint64)
        rows = len(hashes)
        if not rows:
            return {}
        _, sizes = np.unique(hashes, return_counts=True)
        alone = int(sizes[sizes == _ALONE].sum())
        few = int(sizes[sizes < _FEW].sum())
        return {
            "k_anonymity": Figure("k_anonymity", int(sizes.min()), rows),
            "uniqueness": Figure("uniqueness", alone / rows, rows),
            "below_k5": Figure("below_k5", few / rows, rows),
        }


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A bijection that spreads every bit (Steele, Lea, Flood: SplitMix64, OOPSLA 2014)."""
    values = values + _MIX
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
