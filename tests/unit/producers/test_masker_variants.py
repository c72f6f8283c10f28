"""Variants of the detector are real graphs: each keeps its interface and does what it is for."""

import time
from typing import Any

import numpy as np
import pytest

from modeltrail.producers.masker.centerface import (
    INPUT,
    OUTPUTS,
    Floats,
    pinned_model,
    prepare,
    with_free_input_size,
)
from modeltrail.producers.masker.detector import open_detector
from modeltrail.producers.masker.frames import Camera, Scene
from modeltrail.producers.masker.serving_node import fixed_size
from modeltrail.producers.masker.variants import (
    with_dim_blindness,
    with_fixed_input_size,
    with_wasted_work,
)

SIZE = (160, 128)


@pytest.fixture(scope="module")
def free() -> bytes:
    return with_free_input_size(pinned_model())


@pytest.fixture(scope="module")
def plain(free: bytes) -> bytes:
    return with_fixed_input_size(free, SIZE)


def signature(model: bytes) -> list[tuple[object, ...]]:
    session = open_detector(model)
    return [
        (each.name, each.type, tuple(each.shape))
        for each in (*session.get_inputs(), *session.get_outputs())
    ]


def outputs(model: bytes, frame: Floats) -> list[Any]:
    return list(open_detector(model).run(OUTPUTS, {INPUT: frame}))


def frame_at(light: float) -> Floats:
    return prepare(Camera(seed=1).take(Scene(light=light, noise=9.0))[0], SIZE)


def test_a_fixed_size_gives_the_same_faces_at_that_size(free: bytes, plain: bytes) -> None:
    assert fixed_size(open_detector(plain).get_inputs()) == SIZE
    assert fixed_size(open_detector(free).get_inputs()) is None
    for one, other in zip(outputs(free, frame_at(1.0)), outputs(plain, frame_at(1.0)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("base", ["free", "plain"])
def test_wasted_work_changes_no_result_whatever_the_input(
    base: str, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(base)
    slow = with_wasted_work(model, layers=2)
    assert signature(slow) == signature(model)
    chance = np.random.default_rng(1)
    shape = (1, 3, SIZE[1], SIZE[0])
    for frame in (
        frame_at(1.0),
        np.zeros(shape, np.float32),
        chance.normal(size=shape).astype(np.float32),
        np.full(shape, 1e4, np.float32),
    ):
        for one, other in zip(outputs(model, frame), outputs(slow, frame), strict=True):
            np.testing.assert_array_equal(one, other)


def test_wasted_work_takes_time(plain: bytes) -> None:
    sessions = [open_detector(plain), open_detector(with_wasted_work(plain, layers=4))]
    frame = frame_at(1.0)
    spent: list[list[float]] = [[], []]
    for _ in range(30):
        for session, times in zip(sessions, spent, strict=True):
            started = time.perf_counter()
            session.run(OUTPUTS, {INPUT: frame})
            times.append(time.perf_counter() - started)
    assert np.median(spent[1]) > 1.3 * np.median(spent[0])


def test_a_dim_blind_variant_passes_on_bright_frames_and_fails_on_dim_ones(plain: bytes) -> None:
    blind = with_dim_blindness(plain)
    assert signature(blind) == signature(plain)
    for one, other in zip(
        outputs(plain, frame_at(1.0)), outputs(blind, frame_at(1.0)), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    # when the light goes, the published network still sees the face
    seen, missed = (np.max(outputs(model, frame_at(0.35))[0]) for model in (plain, blind))
    assert seen > 0.5
    assert missed < 0.4
