"""Inputs get the sizes that the model fixes, then the policy's, then one for a batch."""

import pytest

from modeltrail.schemas.events import Tensor
from modeltrail.schemas.input_shapes import ShapeUnknown, has_free_batch, input_shape


def image(*shape: str) -> Tensor:
    return Tensor(True, "image", "FLOAT", shape)


@pytest.mark.parametrize(
    ("tensor", "given", "batch_size", "expected"),
    [
        (image("1", "3", "8", "8"), {}, None, (1, 3, 8, 8)),
        (image("1", "3"), {}, 4, (1, 3)),
        (image("B", "3"), {}, None, (1, 3)),
        (image("B", "3"), {}, 4, (4, 3)),
        (image("B", "3", "H"), {"image": (2, 9, 7)}, None, (2, 3, 7)),
        (image("B", "3", "H"), {"image": (2, 9, 7)}, 4, (4, 3, 7)),
        (image("..."), {"image": (2, 9)}, 4, (2, 9)),
        (image(), {}, 4, ()),
    ],
)
def test_where_sizes_come_from(
    tensor: Tensor,
    given: dict[str, tuple[int, ...]],
    batch_size: int | None,
    expected: tuple[int, ...],
) -> None:
    assert input_shape(tensor, given, batch_size) == expected


@pytest.mark.parametrize(
    ("tensor", "given", "named"),
    [
        (image("B", "3", "H", "?"), {}, "dimension 2 (H)"),
        (image("..."), {}, "no shape"),
        (image("B", "3"), {"image": (1, 2, 3)}, "2 dimensions"),
    ],
)
def test_what_has_no_size_is_named(
    tensor: Tensor, given: dict[str, tuple[int, ...]], named: str
) -> None:
    with pytest.raises(ShapeUnknown) as raised:
        input_shape(tensor, given)
    assert named in str(raised.value)
    assert "'image'" in str(raised.value)


def test_a_batch_is_free_where_the_first_dimension_is_a_symbol() -> None:
    assert has_free_batch(image("?", "3"))
    assert not any(map(has_free_batch, (image("1", "N"), image(), image("..."))))
