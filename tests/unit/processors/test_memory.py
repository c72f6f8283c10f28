"""Free memory goes back to the system when the process has grown, and only then."""

import numpy as np

from modeltrail.processors.memory import FreeMemory

_GROWTH = 64 * 2**20


def test_it_is_given_back_once_for_each_growth() -> None:
    trims: list[int] = []

    def trim(kept: int) -> int:
        trims.append(kept)
        return 1

    # Given memory that was looked at
    memory = FreeMemory(trim)
    assert memory.give_back()
    # When nothing grows, then nothing is done
    assert not memory.give_back()
    # When it grows, then it is done again
    held = np.ones(_GROWTH // 8)
    assert memory.give_back()
    assert trims == [0, 0]
    assert held.nbytes == _GROWTH
