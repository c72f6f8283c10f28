"""Walks the fields of protobuf messages in a file: bounded work, constant memory.

Source: the protobuf wire format, https://protobuf.dev/programming-guides/encoding/. Contents are
passed over by seeking; only what somebody asks for is read.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LARGEST_VARINT = 2**64


class Malformed(Exception):
    """These bytes are no protobuf, or more of it than anybody writes."""


class Field(NamedTuple):
    """A field: its number and wire type, the value of a varint, and where its content lies."""

    number: int
    wire_type: int
    value: int
    start: int
    end: int


class MessageFile:
    """A seekable file of protobuf; all walks together pass at most `most_fields` fields."""

    def __init__(self, file: BinaryIO, most_fields: int) -> None:
        self._file = file
        self._left = most_fields

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message that lies at `start` up to `end`, in its order.

        Raises:
            Malformed: no protobuf, a field that is cut short, or too many fields.
        """
        at = start
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise Malformed
            # Whoever took the last field may have read elsewhere.
            self._file.seek(at)
            field = self._field(end)
            yield field
            at = field.end

    def inside(self, field: Field) -> Iterator[Field]:
        """The fields of the message that `field` holds.

        Raises:
            Malformed: as `fields`, or it holds no message.
        """
        if field.wire_type != BYTES:
            raise Malformed
        return self.fields(field.start, field.end)

    def text(self, field: Field, longest: int) -> str:
        """The content of a string field.

        Raises:
            Malformed: longer than `longest` bytes, or no UTF-8.
        """
        size = field.end - field.start
        if field.wire_type != BYTES or size > longest:
            raise Malformed
        self._file.seek(field.start)
        try:
            return self._file.read(size).decode()
        except UnicodeDecodeError as error:
            raise Malformed from error

    def _field(self, end: int) -> Field:
        tag = self._varint()
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise Malformed
        value = size = 0
        if wire_type == VARINT:
            value = self._varint()
        elif wire_type == FIXED64:
            size = 8
        elif wire_type == BYTES:
            size = self._varint()
        elif wire_type == FIXED32:
            size = 4
        else:
            raise Malformed
        start = self._file.tell()
        if start + size > end:
            raise Malformed
        return Field(number, wire_type, value, start, start + size)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._file.read(1)
            if not byte:
                raise Malformed
            value |= (byte[0] & 0x7F) << shift
            if byte[0] < 0x80:
                return value % _LARGEST_VARINT
        raise Malformed
