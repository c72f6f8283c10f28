"""Puts rows that depend on each other into the same lot, by the hash of what they belong to."""

import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modeltrail.processors.ethics.counting import LOTS
from modeltrail.processors.ethics.labels import distinct, label_of


class LotNumbers:
    """The lot of each row; without a column each row is alone, and lots get equally many."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def of(self, batch: Mapping[str, pa.Array], first: int, rows: int) -> npt.NDArray[np.int64]:
        """The lots of the rows of a batch; `first` is the number of its first one."""
        numbers = np.arange(first, first + rows, dtype=np.int64) % LOTS
        if not self._unit:
            return numbers
        encoded = distinct(batch[self._unit])
        hashed = np.array([_lot(value) for value in encoded.dictionary.to_pylist()] + [-1])
        places = encoded.indices.fill_null(len(hashed) - 1).to_numpy(zero_copy_only=False)
        lots = hashed[places].astype(np.int64)
        # A row without a unit stands for itself.
        return np.where(lots < 0, numbers, lots)


def _lot(value: object) -> int:
    label = label_of(value)
    return -1 if label is None else zlib.crc32(label.encode()) % LOTS
