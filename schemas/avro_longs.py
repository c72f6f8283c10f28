"""Writes and reads many Avro longs at once: zigzag, then seven bits a byte, lowest first.

Source: the Avro specification 1.12, "Binary encoding".
"""

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

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
    zigzag = ((values << 1) ^ (values >> 63)).view(np.uint64)
    width = max(1, -(-int(zigzag.max()).bit_length() // _BITS))
    rest = zigzag[:, np.newaxis] >> (np.arange(width, dtype=np.uint64) * np.uint64(_BITS))
    groups = (rest & np.uint64(_LOW)).astype(np.uint8)
    goes_on = rest[:, 1:] != 0
    groups[:, :-1] |= goes_on.astype(np.uint8) << _BITS
    written = np.ones(groups.shape, dtype=np.bool_)
    written[:, 1:] = goes_on
    return groups[written].tobytes()


def decoded_longs(data: bytes, begin: int, count: int) -> tuple[Integers, int] | None:
    """The `count` values, at least one, that begin at `begin`, and where they end.

    None: there are not so many, or one of them takes more than nine bytes.
    """
    if not 0 < count <= len(data) - begin:
        return None
    most = min(len(data) - begin, count * _MOST_BYTES)
    octets = np.frombuffer(data, np.uint8, most, begin)
    ends = np.flatnonzero(octets < _MORE)[:count] + 1
    if len(ends) < count:
        return None
    lengths = np.diff(ends, prepend=0)
    if lengths.max() > _MOST_BYTES:
        return None
    starts = ends - lengths
    octets = octets[: ends[-1]]
    shifts = (np.arange(len(octets)) - np.repeat(starts, lengths)) * _BITS
    groups = (octets & _LOW).astype(np.uint64) << shifts.astype(np.uint64)
    zigzag = np.bitwise_or.reduceat(groups, starts)
    values = (zigzag >> np.uint64(1)).astype(np.int64) ^ -(zigzag & np.uint64(1)).astype(np.int64)
    return values, begin + int(ends[-1])
