"""Writes and reads many Avro longs at once: zigzag, then seven bits a byte, lowest first.

Source: the Avro specification 1.12, "Binary encoding".
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_BITS = 7
_LOW = 0x7F
_MORE = 0x80
# Nine bytes hold 63 bits: what takes a tenth might not fit a long.
_MOST_BYTES = 9


def encoded_longs(values: Integers) -> bytes:
    """The bytes of all values, one after the other; at least one value.

    Raises:
        TypeError: they are no integers.
    """
    return _encoded(values).tobytes()


def encoded_apart(values: Integers) -> tuple[bytes, Integers]:
    """The bytes of all values, at least one, and where in them each value ends.

    Raises:
        TypeError: they are no integers.
    """
    octets = _encoded(values)
    return octets.tobytes(), np.flatnonzero(octets < _MORE) + 1


def _encoded(values: Integers) -> npt.NDArray[np.uint8]:
    zigzag: npt.NDArray[Any] = ((values << 1) ^ (values >> 63)).view(np.uint64)
    greatest = int(zigzag.max())
    width = max(1, -(-greatest.bit_length() // _BITS))
    are_even = width == 1 or bool(int(zigzag.min()) >> (width - 1) * _BITS)
    # What is small is worked on in half the bytes.
    zigzag = zigzag.astype(np.min_scalar_type(greatest | 1 << 31))
    # The same byte of all values at a time: of few bytes of one at a time, numpy is slow.
    return _evenly(zigzag, width) if are_even else _apart(zigzag, width)


def _evenly(zigzag: npt.NDArray[Any], width: int) -> npt.NDArray[np.uint8]:
    """Values that take `width` bytes each, as times and offsets that follow each other do."""
    octets = np.empty((len(zigzag), width), dtype=np.uint8)
    for place in range(width):
        octets[:, place] = (zigzag >> place * _BITS).astype(np.uint8) | _MORE
    octets[:, -1] &= _LOW
    return octets.ravel()


def _apart(zigzag: npt.NDArray[Any], width: int) -> npt.NDArray[np.uint8]:
    """Values that take at most `width` bytes; what is given is lost."""
    octets = np.empty((len(zigzag), width), dtype=np.uint8)
    written = np.empty(octets.shape, dtype=np.bool_)
    goes_on = np.ones(len(zigzag), dtype=np.bool_)
    for place in range(width):
        written[:, place] = goes_on
        low = zigzag.astype(np.uint8) & _LOW
        zigzag >>= _BITS
        goes_on = zigzag != 0
        octets[:, place] = low | goes_on.view(np.uint8) << _BITS
    return octets[written]


def decoded_longs(data: bytes, begin: int, count: int) -> tuple[Integers, int] | None:
    """The `count` values, at least one, that begin at `begin`, and where they end.

    None: there are not so many, or one of them takes more than nine bytes.
    """
    if not 0 < count <= len(data) - begin:
        return None
    most = min(len(data) - begin, count * _MOST_BYTES)
    octets = np.frombuffer(data, np.uint8, most, begin)
    ends = octets < _MORE
    width = int(ends.argmax()) + 1
    if _all_end_after(width, ends[: count * width], count):
        zigzag = _groups(octets[: count * width].reshape(count, width))
        return _from_zigzag(zigzag), begin + count * width
    return _decoded_apart(octets, np.flatnonzero(ends)[:count] + 1, begin, count)


def _all_end_after(width: int, ends: Flags, count: int) -> bool:
    """Whether each of the values ends after as many bytes, and not earlier."""
    return (
        len(ends) == count * width
        and np.count_nonzero(ends) == count
        and bool(ends[width - 1 :: width].all())
    )


def _groups(octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    low = octets & _LOW
    found = low[:, 0].astype(np.uint64)
    for place in range(1, octets.shape[1]):
        found |= low[:, place].astype(np.uint64) << np.uint64(place * _BITS)
    return found


def _decoded_apart(
    octets: npt.NDArray[np.uint8], ends: Integers, begin: int, count: int
) -> tuple[Integers, int] | None:
    """The values where some take more bytes than others."""
    if len(ends) < count:
        return None
    lengths = np.diff(ends, prepend=0)
    if lengths.max() > _MOST_BYTES:
        return None
    starts = ends - lengths
    octets = octets[: ends[-1]]
    shifts = (np.arange(len(octets)) - np.repeat(starts, lengths)) * _BITS
    groups = (octets & _LOW).astype(np.uint64) << shifts.astype(np.uint64)
    return _from_zigzag(np.bitwise_or.reduceat(groups, starts)), begin + int(ends[-1])


def _from_zigzag(zigzag: npt.NDArray[np.uint64]) -> Integers:
    one = np.uint64(1)
    return (zigzag >> one).astype(np.int64) ^ -(zigzag & one).astype(np.int64)
