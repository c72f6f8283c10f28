"""Makes the inputs that a model is timed with: the same numbers for every version.

Only the confined process imports this.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import Tensor
from modeltrail.schemas.input_shapes import ANY_SHAPE, has_free_batch, input_shape

Feeds = dict[str, npt.NDArray[Any]]
SEED = 20_260_101
# Element types as ONNX Runtime names them.
_DTYPES: Mapping[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
}
_UNKNOWN_DIMENSION = "?"


class CannotFeed(ModeltrailError):
    """An input has a type of which no numbers can be made, or no such batch size."""


def feeds_of(session: Any, shapes: Mapping[str, Sequence[int]], batch_size: int) -> Feeds:
    """Seeded inputs: reals from 0 to 1, whole numbers 0 or 1, which are valid places in a table.

    Raises:
        CannotFeed: no numbers of that type, or every first dimension is another number.
        ShapeUnknown: a symbolic dimension has no size.
    """
    inputs = [_tensor(each, shapes) for each in session.get_inputs()]
    if batch_size != 1 and not any(map(has_free_batch, inputs)):
        raise CannotFeed(
            f"no input has a symbolic first dimension: batch size {batch_size} cannot be measured, "
            "leave it out of the policy's batch_sizes"
        )
    return {each.name: _array(each, input_shape(each, shapes, batch_size)) for each in inputs}


def items_of(feeds: Feeds, session: Any, batch_size: int) -> int:
    """How many items a run works on: the batch size, or the first dimension where it is fixed."""
    inputs = [_tensor(each, {}) for each in session.get_inputs()]
    if any(map(has_free_batch, inputs)) or not inputs or not feeds[inputs[0].name].shape:
        return batch_size
    return int(feeds[inputs[0].name].shape[0])


def _tensor(entry: Any, shapes: Mapping[str, Sequence[int]]) -> Tensor:
    # Of an input of any shape ONNX Runtime says the same as of a single number.
    if not entry.shape and entry.name in shapes:
        return Tensor(True, entry.name, entry.type, ANY_SHAPE)
    shape = tuple(
        str(each) if isinstance(each, int) else each or _UNKNOWN_DIMENSION for each in entry.shape
    )
    return Tensor(True, entry.name, entry.type, shape)


def _array(tensor: Tensor, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    if (dtype := _DTYPES.get(tensor.dtype)) is None:
        raise CannotFeed(f"input {tensor.name!r} is a {tensor.dtype}: it cannot be measured")
    chance = np.random.default_rng((SEED, zlib.crc32(tensor.name.encode())))
    if np.issubdtype(dtype, np.floating):
        return chance.random(shape, np.float32).astype(dtype)
    return chance.integers(0, 2, shape).astype(dtype)
