"""Where a column of ClickHouse's Native format ends: walks the bytes by type without decoding.

Source of the layouts: ClickHouse's Native Format specification (version 1 of the Dynamic and JSON
serialisations, as the engine writes them for revisions below 54473).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from modeltrail.infra.gateway.errors import Code, ProtocolError
from modeltrail.infra.gateway.protocol.source import ByteSource, Sink, string, varint

_LC_ADDITIONAL_KEYS: Final = 1 << 9
_LC_GLOBAL_DICTIONARY: Final = 1 << 8
_MAX_STRUCTURE: Final = 10_000
_SHARED_VARIANT: Final = "SharedVariant"


class Column(Protocol):
    """Copies one column; `prefix` once per block, then `data` on what `prefix` returned."""

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """Copy what stands before the rows, and return the column that can copy the rows."""
        ...

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """Copy the rows."""
        ...


@dataclass(frozen=True)
class Fixed:
    """A value of a fixed number of bytes."""

    width: int

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        del source, sink
        return self

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """See `Column.data`."""
        source.copy(rows * self.width, sink)


@dataclass(frozen=True)
class Strings:
    """Byte strings of any length."""

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        del source, sink
        return self

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """See `Column.data`."""
        source.copy_strings(rows, sink)


@dataclass(frozen=True)
class Nullable:
    """A byte per row that says whether it is NULL, then all rows of the inner type."""

    inner: Column

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        return Nullable(self.inner.prefix(source, sink))

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """See `Column.data`."""
        source.copy(rows, sink)
        self.inner.data(rows, source, sink)


@dataclass(frozen=True)
class Array:
    """Cumulative offsets, then the elements of all rows."""

    inner: Column

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        return Array(self.inner.prefix(source, sink))

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """See `Column.data`."""
        self.inner.data(source.copy_offsets(rows, sink), source, sink)


@dataclass(frozen=True)
class Tuple:
    """Element after element, each with all rows."""

    inner: Sequence[Column]

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        return Tuple(tuple(element.prefix(source, sink) for element in self.inner))

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """See `Column.data`."""
        if not self.inner:
            source.copy(rows, sink)
        for element in self.inner:
            element.data(rows, source, sink)


@dataclass(frozen=True)
class LowCardinality:
    """A dictionary of the distinct values, then an index into it per row."""

    dictionary: Column

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        if source.copy_u64(sink) != 1:
            raise ProtocolError(Code.INCORRECT_DATA, "Unknown version of a LowCardinality column.")
        return self

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """See `Column.data`."""
        if not rows:
            return
        kind = source.copy_u64(sink)
        if kind & 0xFF > 3 or kind & _LC_GLOBAL_DICTIONARY:
            raise ProtocolError(Code.INCORRECT_DATA, "Unknown kind of LowCardinality indexes.")
        if kind & _LC_ADDITIONAL_KEYS:
            self.dictionary.data(source.copy_u64(sink), source, sink)
        if source.copy_u64(sink) != rows:
            raise ProtocolError(Code.INCORRECT_DATA, "LowCardinality indexes differ from rows.")
        source.copy(rows << (kind & 0xFF), sink)


@dataclass(frozen=True)
class Variant:
    """A byte per row that says which alternative it has, then the rows of each alternative."""

    alternatives: Sequence[Column]

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        if source.copy_u64(sink) != 0:
            raise ProtocolError(Code.NOT_IMPLEMENTED, "Compact discriminators of a Variant column.")
        return Variant(tuple(one.prefix(source, sink) for one in self.alternatives))

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """See `Column.data`."""
        counts = source.copy_counting(rows, sink)
        if int(counts[len(self.alternatives) : 255].sum()):
            raise ProtocolError(Code.INCORRECT_DATA, "Unknown discriminator in a Variant column.")
        for index, alternative in enumerate(self.alternatives):
            alternative.data(int(counts[index]), source, sink)


@dataclass(frozen=True)
class Dynamic:
    """A Variant whose alternatives are named in front of it."""

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        from modeltrail.infra.gateway.protocol.types import column_of

        version = source.copy_u64(sink)
        if version not in (1, 2):
            raise ProtocolError(Code.NOT_IMPLEMENTED, f"Dynamic serialisation {version}.")
        if version == 1:
            _copy_varint(source, sink)
        names = sorted([*_copy_names(source, sink), _SHARED_VARIANT])
        return Variant(
            tuple(Strings() if name == _SHARED_VARIANT else column_of(name) for name in names)
        ).prefix(source, sink)

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """Never asked for: `prefix` returns the column that has the rows."""
        raise AssertionError(rows, source, sink)


@dataclass(frozen=True)
class Json:
    """Declared paths, then the paths found in the block as Dynamic columns, then the rest."""

    declared: Sequence[Column]

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        version = source.copy_u64(sink)
        if version == 1:
            return Strings()
        if version not in (0, 2):
            raise ProtocolError(Code.NOT_IMPLEMENTED, f"JSON serialisation {version}.")
        if version == 0:
            _copy_varint(source, sink)
        paths = len(_copy_names(source, sink))
        columns = [column.prefix(source, sink) for column in self.declared]
        columns += [Dynamic().prefix(source, sink) for _ in range(paths)]
        return Tuple((*columns, Array(Tuple((Strings(), Strings())))))

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """Never asked for: `prefix` returns the column that has the rows."""
        raise AssertionError(rows, source, sink)


@dataclass(frozen=True)
class Opaque:
    """A type whose end cannot be found without decoding it."""

    name: str

    def prefix(self, source: ByteSource, sink: Sink) -> Column:
        """See `Column.prefix`."""
        del source, sink
        return self

    def data(self, rows: int, source: ByteSource, sink: Sink) -> None:
        """Refuse: there is no way past this column."""
        del rows, source, sink
        raise ProtocolError(
            Code.NOT_IMPLEMENTED,
            f"The gateway cannot carry the type {self.name}: finalise or cast it in the query.",
        )


def _copy_varint(source: ByteSource, sink: Sink) -> int:
    value = source.varint()
    sink(varint(value))
    return value


def _copy_names(source: ByteSource, sink: Sink) -> list[str]:
    count = _copy_varint(source, sink)
    if count > _MAX_STRUCTURE:
        raise ProtocolError(Code.INCORRECT_DATA, f"{count} names exceed {_MAX_STRUCTURE}.")
    names = []
    for _ in range(count):
        name = source.string(1 << 20)
        sink(string(name))
        names.append(name.decode(errors="replace"))
    return names
