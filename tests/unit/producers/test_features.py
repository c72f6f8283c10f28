"""The drift features of a frame."""

import numpy as np
import pytest

from modeltrail.producers.monitoring.features import frame_features
from modeltrail.schemas.errors import InvalidFact


def checkerboard(low: int, high: int) -> np.ndarray:
    board = np.indices((480, 640)).sum(axis=0) // 24 % 2
    return np.where(board, high, low).astype(np.uint8)


def test_a_flat_frame_is_as_bright_as_it_is_and_has_no_edges() -> None:
    features = frame_features(np.full((480, 640), 90, np.uint8))

    assert features.luma_mean == 90.0
    assert (features.luma_std, features.laplacian_var) == (0.0, 0.0)


def test_colours_weigh_as_in_bt_601_in_either_order() -> None:
    blue_rgb = np.zeros((480, 640, 3), np.uint8)
    blue_rgb[..., 2] = 100

    assert frame_features(blue_rgb).luma_mean == pytest.approx(11.4, abs=0.01)
    assert frame_features(blue_rgb, bgr=True).luma_mean == pytest.approx(29.9, abs=0.01)


def test_dimming_lowers_brightness_contrast_and_sharpness() -> None:
    bright = frame_features(checkerboard(50, 250))
    dim = frame_features(checkerboard(10, 50))

    assert dim.luma_mean < bright.luma_mean
    assert dim.luma_std < bright.luma_std
    assert dim.laplacian_var < bright.laplacian_var


def test_softening_edges_lowers_sharpness_alone() -> None:
    sharp = checkerboard(50, 250).astype(np.float32)
    soft = sharp
    for axis in (0, 1):
        soft = np.mean([np.roll(soft, shift, axis) for shift in range(-4, 5)], axis=0)

    assert frame_features(soft).laplacian_var < frame_features(sharp).laplacian_var / 4
    assert frame_features(soft).luma_mean == pytest.approx(
        frame_features(sharp).luma_mean, rel=0.02
    )


def test_a_fourth_channel_is_ignored_and_the_frame_is_not_touched() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (60, 80, 4), np.uint8)
    before = frame.copy()

    assert frame_features(frame) == frame_features(frame[..., :3])
    assert np.array_equal(frame, before)


@pytest.mark.parametrize("shape", [(480,), (2, 640), (480, 640, 2), (1, 3, 480, 640), (0, 0)])
def test_what_is_no_frame_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidFact, match="a frame of shape"):
        frame_features(np.zeros(shape, np.uint8))
