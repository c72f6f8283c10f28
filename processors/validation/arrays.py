"""Makes inputs for a model that nobody has examples for: seeded chance, zeros, extremes.

Only the confined process imports this.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.schemas.events import Tensor
from modeltrail.schemas.input_shapes import input_shape

Feeds = dict[str, npt.NDArray[Any]]
SEED = 20_260_101
_DTYPES: Mapping[str, Any] = {
    "FLOAT": np.float32,
    "DOUBLE": np.float64,
    "FLOAT16": np.float16,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "BOOL": np.bool_,
    "STRING": np.object_,
}
# Full scale of a 16-bit sensor; half precision ends there, so it gets that of an 8-bit one. The
# largest number of a type would overflow in the first sum of any network.
_LARGEST = {"FLOAT": 65_535.0, "DOUBLE": 65_535.0, "FLOAT16": 255.0}
# 32 and 64 bits are mostly places in a table, of which the first two exist nearly always.
_INDICES = ("INT32", "INT64", "UINT32", "UINT64")


class CannotMake(Exception):
    """An input has a type of which this program cannot make arrays."""


def made_inputs(
    tensors: Sequence[Tensor], shapes: Mapping[str, Sequence[int]], most_bytes: int
) -> Iterator[tuple[str, Feeds]]:
    """Kind and feeds of every set of inputs to try.

    Raises:
        CannotMake: an input is no tensor, or of a type that numpy does not have.
        ShapeUnknown: a symbolic dimension has no size.
        MemoryError: the inputs alone are larger than `most_bytes`.
    """
    inputs = [each for each in tensors if each.is_input]
    sizes = {each.name: input_shape(each, shapes) for each in inputs}
    for each in inputs:
        if each.dtype not in _DTYPES:
            raise CannotMake(f"input {each.name!r} is of type {each.dtype or 'sequence or map'}")
        size = math.prod(sizes[each.name]) * np.dtype(_DTYPES[each.dtype]).itemsize
        if size > most_bytes:
            raise MemoryError(f"input {each.name!r} of shape {sizes[each.name]} has {size:,} bytes")
    chance = np.random.default_rng(SEED)
    kinds: dict[str, Callable[[str, tuple[int, ...]], npt.NDArray[Any]]] = {
        "random": lambda dtype, shape: _random(chance, dtype, shape),
        "zero": lambda dtype, shape: _full(dtype, shape, 0),
        "highest": lambda dtype, shape: _full(dtype, shape, _bounds(dtype)[1]),
        "lowest": lambda dtype, shape: _full(dtype, shape, _bounds(dtype)[0]),
        "alternating": _alternating,
    }
    for kind, make in kinds.items():
        yield kind, {each.name: make(each.dtype, sizes[each.name]) for each in inputs}


def _random(chance: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    if dtype in _LARGEST:
        return chance.standard_normal(shape, np.float32).astype(_DTYPES[dtype])
    if dtype in ("BOOL", "STRING", *_INDICES):
        return _typed(dtype, chance.integers(0, 2, shape))
    bounds = np.iinfo(_DTYPES[dtype])
    return _typed(dtype, chance.integers(bounds.min, bounds.max, shape, endpoint=True))


def _full(dtype: str, shape: tuple[int, ...], value: float) -> npt.NDArray[Any]:
    return _typed(dtype, np.full(shape, value))


def _alternating(dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    low, high = _bounds(dtype)
    count = math.prod(shape)
    return _typed(dtype, np.where(np.arange(count) % 2 == 0, low, high).reshape(shape))


def _bounds(dtype: str) -> tuple[float, float]:
    if dtype in _LARGEST:
        return -_LARGEST[dtype], _LARGEST[dtype]
    if dtype in ("BOOL", "STRING", *_INDICES):
        return 0, 1
    bounds = np.iinfo(_DTYPES[dtype])
    return int(bounds.min), int(bounds.max)


def _typed(dtype: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if dtype == "STRING":
        return np.where(values > 0, "word", "").astype(np.object_)
    return np.asarray(values).astype(_DTYPES[dtype])
