"""Answers which shape an input of a model gets when somebody has to run it."""

from collections.abc import Mapping, Sequence

from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import Tensor

#: Of a tensor of which not even the number of dimensions is known.
ANY_SHAPE = ("...",)


class ShapeUnknown(ModeltrailError, ValueError):
    """A dimension has no size: give the input's shape in the policy."""


def input_shape(
    tensor: Tensor, given: Mapping[str, Sequence[int]], batch_size: int | None = None
) -> tuple[int, ...]:
    """The shape to run `tensor` with.

    Dimensions that are numbers stay; symbolic ones are taken from `given`, which is by name of
    input; the first one is `batch_size` where it is symbolic, or else that of `given`, or else 1.

    Raises:
        ShapeUnknown: a symbolic dimension, or the number of dimensions, is given nowhere, or what
            is given does not fit.
    """
    wanted = given.get(tensor.name)
    if tensor.shape == ANY_SHAPE:
        if wanted is None:
            raise ShapeUnknown(
                f"input {tensor.name!r} has no shape: give one in the policy, as shapes"
            )
        return tuple(wanted)
    if wanted is not None and len(wanted) != len(tensor.shape):
        raise ShapeUnknown(
            f"input {tensor.name!r} has {len(tensor.shape)} dimensions {list(tensor.shape)}, "
            f"the policy's shapes give {len(wanted)}: correct them"
        )
    return tuple(
        _size(tensor, axis, None if wanted is None else wanted[axis], batch_size)
        for axis in range(len(tensor.shape))
    )


def has_free_batch(tensor: Tensor) -> bool:
    """Whether the first dimension is a symbol, so that any batch size will do."""
    return bool(tensor.shape) and not tensor.shape[0].isdecimal() and tensor.shape != ANY_SHAPE


def _size(tensor: Tensor, axis: int, wanted: int | None, batch_size: int | None) -> int:
    dimension = tensor.shape[axis]
    if dimension.isdecimal():
        return int(dimension)
    if axis == 0 and batch_size is not None:
        return batch_size
    if wanted is not None:
        return wanted
    if axis == 0:
        return 1
    raise ShapeUnknown(
        f"dimension {axis} ({dimension}) of input {tensor.name!r} is symbolic: give the input's "
        "shape in the policy, as shapes"
    )
