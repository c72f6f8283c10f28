"""Encodes many closed windows at once: columns of their metrics, where fastavro takes values.

Source: the Avro specification 1.12, "Binary encoding". A test holds it equal to fastavro, byte for
byte, and to the schema's field order.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, chain, pairwise
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from modeltrail.schemas.avro_longs import encoded_apart
from modeltrail.schemas.avro_scalars import avro_long, avro_string
from modeltrail.schemas.column_datum import event_id_bytes
from modeltrail.schemas.columns import Longs
from modeltrail.schemas.events import MetricWindow, WindowClosed

_END = b"\x00"
_FALSE, _TRUE = b"\x00", b"\x01"
_MOST_KNOWN = 4096

# The fields of a metric in the order of its schema: a name, integers, doubles, columns.
_INTEGERS = attrgetter("count", "sum_whole", "sum_fraction")
_DOUBLES = attrgetter("mean", "min", "max", "p50", "p95", "p99")
_LONGS = attrgetter("bins"), attrgetter("counts")
_INTEGERS_EACH, _DOUBLES_EACH = 3, 6
# Pieces of bytes that a metric is made of.
_PIECES = 5


def window_data(windows: Sequence[WindowClosed]) -> list[bytes]:
    """The bare datum of each of `windows`.

    Raises:
        TypeError, ValueError, OverflowError, AttributeError: a value does not fit the schema.
    """
    pieces = _pieces([metric for window in windows for metric in window.metrics])
    edges = accumulate((len(window.metrics) * _PIECES for window in windows), initial=0)
    return [
        b"".join((*_head(window), *pieces[begin:end], _END))
        for window, (begin, end) in zip(windows, pairwise(edges), strict=True)
    ]


def _head(window: WindowClosed) -> Iterator[bytes]:
    yield event_id_bytes(window.event_id)
    yield avro_string(window.model_id)
    yield from map(_name, (window.version, window.environment, window.arm, window.window))
    yield avro_long(window.start)
    yield avro_long(window.end)
    yield _TRUE if window.final else _FALSE
    yield avro_long(window.measurements)
    if window.metrics:
        yield _length(len(window.metrics))


# Of few metrics and windows, and told again with each fact; as are lengths of columns.
_name = lru_cache(_MOST_KNOWN)(avro_string)
_length = lru_cache(_MOST_KNOWN)(avro_long)


def _pieces(metrics: Sequence[MetricWindow]) -> list[bytes]:
    if not metrics:
        return []
    integers = array("q", chain.from_iterable(map(_INTEGERS, metrics)))
    encoded, ends = encoded_apart(np.asarray(integers))
    columns = zip(
        map(_name, map(attrgetter("name"), metrics)),
        _spans(encoded, ends[_INTEGERS_EACH - 1 :: _INTEGERS_EACH]),
        _doubles(metrics),
        # Bins take as many bytes each, and so do most counts: apart, that is soon done.
        *(_columns(list(map(column, metrics))) for column in _LONGS),
        strict=True,
    )
    return list(chain.from_iterable(columns))


def _doubles(metrics: Iterable[MetricWindow]) -> Iterator[bytes]:
    values = array("d", chain.from_iterable(map(_DOUBLES, metrics)))
    encoded = np.asarray(values).astype("<f8", copy=False).tobytes()
    size = 8 * _DOUBLES_EACH
    return _spans(encoded, np.arange(size, len(encoded) + 1, size))


def _columns(columns: Sequence[Longs]) -> Iterator[bytes]:
    """One column of each metric."""
    if {column.typecode for column in columns} != {"q"}:
        raise TypeError("bins and counts must be columns of integers")
    lengths = np.fromiter(map(len, columns), np.int64, len(columns))
    values = np.frombuffer(b"".join(columns), np.int64)
    if not values.size:
        return iter([_END] * len(columns))
    encoded, ends = encoded_apart(values)
    behind = np.concatenate(([0], ends))[np.cumsum(lengths)]
    return map(_array, lengths.tolist(), _spans(encoded, behind))


def _array(length: int, encoded: bytes) -> bytes:
    return _length(length) + encoded + _END if length else _END


def _spans(encoded: bytes, ends: npt.NDArray[np.int64]) -> Iterator[bytes]:
    places = ends.tolist()
    return map(encoded.__getitem__, map(slice, (0, *places), places))
