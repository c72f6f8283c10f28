"""Encodes and decodes facts made of columns by hand: whole columns, where fastavro takes values.

Source: the Avro specification 1.12, "Binary encoding". A test holds it equal to fastavro, byte for
byte, and to the schema's field order.
"""

import sys
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple, get_type_hints

import numpy as np

from modeltrail.schemas.avro_longs import decoded_longs, encoded_longs
from modeltrail.schemas.avro_scalars import avro_long, avro_string
from modeltrail.schemas.columns import Doubles, Longs, doubles, longs
from modeltrail.schemas.events import OfManySeries
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version

_ID_BYTES = 16
_DOUBLE_BYTES = 8
_END = b"\x00"
_FALSE, _TRUE = b"\x00", b"\x01"


def column_datum(fact: OfManySeries) -> bytes:
    """The bare datum of `fact`.

    Raises:
        TypeError, ValueError, OverflowError, AttributeError: a value does not fit the schema.
    """
    kind: Any = type(fact)
    return b"".join(form.written(getattr(fact, name)) for name, form in _fields_of(kind))


def read_columns(kind: Any, datum: bytes) -> OfManySeries | None:
    """The fact that a datum holds; None where only a full reader can tell, or can say why not."""
    reader = _Reader(datum)
    try:
        fact: OfManySeries = kind(*(form.read(reader) for _, form in _fields_of(kind)))
    except ValueError:
        return None
    return fact if reader.is_at_end else None


class _NotPlain(ValueError):
    """The datum is written in a way that is not read here: it may be right all the same."""


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

    def event_id(self) -> EventId:
        return EventId(self._taken(_ID_BYTES))

    def flag(self) -> bool:
        byte = self._taken(1)
        if byte not in (_FALSE, _TRUE):
            raise _NotPlain
        return byte == _TRUE

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

    def texts(self) -> tuple[str, ...]:
        count = self.long()
        if not 0 <= count <= len(self._datum) - self._at:
            raise _NotPlain
        texts = tuple(self._taken(self.long()).decode() for _ in range(count))
        if count:
            self._end_array()
        return texts

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

    def doubles(self) -> Doubles:
        count = self.long()
        if not count:
            return doubles(())
        values = doubles(self._taken(_DOUBLE_BYTES * count))
        self._end_array()
        return _little_endian(values)

    def _taken(self, count: int) -> bytes:
        if not 0 <= count <= len(self._datum) - self._at:
            raise _NotPlain
        self._at += count
        return self._datum[self._at - count : self._at]

    def _end_array(self) -> None:
        # An array may come in several blocks; the writers at hand make one.
        if self._taken(1) != _END:
            raise _NotPlain


class _Form(NamedTuple):
    """How a value is written, and how it is read."""

    written: Callable[[Any], bytes]
    read: Callable[[_Reader], Any]


@cache
def _fields_of(kind: Any) -> tuple[tuple[str, _Form], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, _FORMS[hints[field.name]]) for field in fields(kind))


def event_id_bytes(value: bytes) -> bytes:
    """An event's id as it is written.

    Raises:
        ValueError: it has not 16 bytes.
    """
    if len(value) != _ID_BYTES:
        raise ValueError(f"event_id has {len(value)} bytes, not {_ID_BYTES}")
    return value


def _texts(values: tuple[str, ...] | str) -> bytes:
    if isinstance(values, str):
        raise TypeError("must be a tuple, not str")
    if not values:
        return _END
    return b"".join((avro_long(len(values)), *map(avro_string, values), _END))


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


_TEXTS = _Form(_texts, _Reader.texts)
_LONG = _Form(avro_long, _Reader.long)
_FORMS: dict[Any, _Form] = {
    EventId: _Form(event_id_bytes, _Reader.event_id),
    int: _LONG,
    Micros: _LONG,
    bool: _Form(lambda value: _TRUE if value else _FALSE, _Reader.flag),
    tuple[str, ...]: _TEXTS,
    tuple[ModelId, ...]: _TEXTS,
    tuple[Version, ...]: _TEXTS,
    Longs: _Form(_longs, _Reader.longs),
    Doubles: _Form(_doubles, _Reader.doubles),
}
