"""False alarms are rare and real shifts are found soon, for independent and for dependent values.

Streams come at 25 frames/s under the default policy: windows of a minute, an alert after three in a
row. The reference is a recording of an hour by the same process.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
import pytest

from tests.scenario.processors.drift_streams import Process, raises_alert, windows_to_alert

INDEPENDENT, DEPENDENT = Process(0.0), Process(0.98)
T = TypeVar("T")


@pytest.mark.parametrize("process", [INDEPENDENT, DEPENDENT], ids=["independent", "dependent"])
def test_a_stationary_stream_raises_no_alert(process: Process) -> None:
    assert not any(raises_alert(process, seed, windows=60) for seed in range(4))


@pytest.mark.parametrize("process", [INDEPENDENT, DEPENDENT], ids=["independent", "dependent"])
def test_a_shift_of_one_sigma_raises_an_alert_within_10_windows(process: Process) -> None:
    assert max(windows_to_alert(process, seed) for seed in range(100, 104)) <= 10


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_of_200_stationary_streams_at_most_5_percent_raise_an_alert_in_1000_windows() -> None:
    independent = sum(_of_all(partial(raises_alert, INDEPENDENT, windows=1000), range(100)))
    dependent = sum(_of_all(partial(raises_alert, DEPENDENT, windows=1000), range(100, 200)))

    print(f"alarmed streams of 100: independent {independent}, AR(1) 0.98 {dependent}")
    assert independent + dependent <= 10


@pytest.mark.prove
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("process", [INDEPENDENT, DEPENDENT], ids=["independent", "dependent"])
def test_a_shift_of_one_sigma_is_found_within_10_windows_in_95_percent_of_runs(
    process: Process,
) -> None:
    delays = np.array(_of_all(partial(windows_to_alert, process), range(200, 400)))

    print(f"runs by windows to the alert: {np.bincount(delays).tolist()}")
    assert np.mean(delays <= 10) >= 0.95


def _of_all(run: Callable[[int], T], seeds: Iterable[int]) -> list[T]:
    # Forked children would inherit the threads of numpy.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return list(pool.map(run, seeds))
