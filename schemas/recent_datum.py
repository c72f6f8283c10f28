"""Encodes and decodes RecentMeasured by hand: whole columns, where fastavro takes value by value.

Source: the Avro specification 1.12, "Binary encoding". A test holds it equal to fastavro, byte for
byte, and to the schema's field order.
"""

import sys

import numpy as np

from modeltrail.schemas.avro_longs import decoded_longs, encoded_longs
from modeltrail.schemas.avro_scalars import avro_long, avro_string
from modeltrail.schemas.columns import Doubles, Longs, doubles, longs
from modeltrail.schemas.events import RecentMeasured, RecentMetric
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version

_ID_BYTES = 16
_DOUBLE_BYTES = 8
_END = b"\x00"


class _NotPlain(ValueError):
    """The datum is written in a way that is not read here: it may be right all the same."""


def recent_datum(fact: RecentMeasured) -> bytes:
    """The bare datum of `fact`.

    Raises:
        TypeError, ValueError, OverflowError, AttributeError: a value does not fit the schema.
    """
    if len(fact.event_id) != _ID_BYTES:
        raise ValueError(f"event_id has {len(fact.event_id)} bytes, not {_ID_BYTES}")
    parts = [
        fact.event_id,
        *map(avro_string, (fact.model_id, fact.version, fact.environment, fact.arm)),
        avro_long(fact.source_partition),
        avro_long(fact.advanced_to),
        _longs(fact.appended_ms),
        _longs(fact.offsets),
    ]
    if fact.metrics:
        parts.append(avro_long(len(fact.metrics)))
        for metric in fact.metrics:
            parts += (avro_string(metric.name), _doubles(metric.values))
    return b"".join((*parts, _END))


def read_recent(datum: bytes) -> RecentMeasured | None:
    """The fact that a datum holds; None where only a full reader can tell, or can say why not."""
    reader = _Reader(datum)
    try:
        fact = RecentMeasured(
            EventId(reader.taken(_ID_BYTES)),
            ModelId(reader.text()),
            Version(reader.text()),
            reader.text(),
            reader.text(),
            reader.long(),
            Micros(reader.long()),
            reader.longs(),
            reader.longs(),
            reader.metrics(),
        )
    except ValueError:
        return None
    return fact if reader.is_at_end else None


def _longs(values: Longs) -> bytes:
    if not values:
        return _END
    return avro_long(len(values)) + encoded_longs(np.asarray(values)) + _END


def _doubles(values: Doubles) -> bytes:
    if not values:
        return _END
    return avro_long(len(values)) + _little_endian(values).tobytes() + _END


def _little_endian(values: Doubles) -> Doubles:
    """The values as Avro has them, or those of Avro as the machine has them."""
    if sys.byteorder == "little":
        return values
    swapped = doubles(values.tobytes())
    swapped.byteswap()
    return swapped


class _Reader:
    """Takes one value after the other from a datum.

    Raises:
        ValueError: the datum ends early, or is written in a way that is not read here.
    """

    def __init__(self, datum: bytes) -> None:
        self._datum = datum
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._datum)

    def taken(self, count: int) -> bytes:
        if not 0 <= count <= len(self._datum) - self._at:
            raise _NotPlain
        self._at += count
        return self._datum[self._at - count : self._at]

    def long(self) -> int:
        shift = zigzag = 0
        while True:
            if self.is_at_end:
                raise _NotPlain
            byte = self._datum[self._at]
            self._at += 1
            zigzag |= (byte & 0x7F) << shift
            if byte < 0x80 and zigzag < 1 << 64:
                return (zigzag >> 1) ^ -(zigzag & 1)
            shift += 7
            if shift > 63 or byte < 0x80:
                raise _NotPlain

    def text(self) -> str:
        return self.taken(self.long()).decode()

    def longs(self) -> Longs:
        count = self.long()
        if not count:
            return longs(())
        found = decoded_longs(self._datum, self._at, count)
        if found is None:
            raise _NotPlain
        values, self._at = found
        self._end_array()
        return longs(values.tobytes())

    def metrics(self) -> tuple[RecentMetric, ...]:
        count = self.long()
        if not 0 <= count <= len(self._datum) - self._at:
            raise _NotPlain
        metrics = tuple(RecentMetric(self.text(), self._doubles()) for _ in range(count))
        if count:
            self._end_array()
        return metrics

    def _doubles(self) -> Doubles:
        count = self.long()
        if not count:
            return doubles(())
        values = doubles(self.taken(_DOUBLE_BYTES * count))
        self._end_array()
        return _little_endian(values)

    def _end_array(self) -> None:
        # An array may come in several blocks; the writers at hand make one.
        if self.taken(1) != _END:
            raise _NotPlain
