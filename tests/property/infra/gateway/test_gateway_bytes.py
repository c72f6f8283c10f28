"""Any bytes: blocks survive the way through the gateway, and nonsense is told apart from it."""

import contextlib
import io
import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from clickhouse_driver.block import ColumnOrientedBlock
from clickhouse_driver.streams.native import BlockOutputStream
from hypothesis import given
from hypothesis import strategies as st

from modeltrail.infra.gateway import compression
from modeltrail.infra.gateway.errors import GatewayError, ProtocolError, engine_error
from modeltrail.infra.gateway.protocol import revisions
from modeltrail.infra.gateway.protocol.blocks import read_client_block, server_blocks
from modeltrail.infra.gateway.protocol.client_packets import (
    read_addendum,
    read_hello,
    read_query,
    unquoted,
)
from modeltrail.infra.gateway.protocol.source import ByteSource, string, varint
from modeltrail.infra.gateway.protocol.types import column_of

_TEXT = st.text(max_size=40)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "UInt8": st.integers(0, 255),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "Float64": st.floats(allow_nan=False),
    "String": _TEXT,
    "Nullable(String)": st.none() | _TEXT,
    "LowCardinality(String)": st.sampled_from(["a", "b", "ü" * 100]),
    "LowCardinality(Nullable(String))": st.none() | st.sampled_from(["a", "b"]),
    "Array(String)": st.lists(_TEXT, max_size=3),
    "Array(Array(Nullable(UInt8)))": st.lists(
        st.lists(st.none() | st.integers(0, 255), max_size=3), max_size=3
    ),
    "Array(LowCardinality(String))": st.lists(st.sampled_from(["a", "b"]), max_size=3),
    "Map(String, UInt8)": st.dictionaries(_TEXT, st.integers(0, 255), max_size=3),
    "Tuple(UInt8, String)": st.tuples(st.integers(0, 255), _TEXT),
    "Tuple(a UInt8, `b c` Array(String))": st.tuples(
        st.integers(0, 255), st.lists(_TEXT, max_size=2)
    ),
    "JSON": st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 9) | st.sampled_from(["x", "y"]) | st.floats(0, 1) | st.booleans(),
        max_size=3,
    ),
}


class _Sink:
    """The little that the driver's writer asks of a buffer."""

    def __init__(self) -> None:
        self.bytes = io.BytesIO()
        self.write = self.bytes.write

    def flush(self) -> None: ...

    def write_strings(self, items: list[str], encoding: str | None = None) -> None:
        for item in items:
            self.write(string(item))


def _written(columns: list[tuple[str, str]], data: list[list[Any]], revision: int) -> bytes:
    sink = _Sink()
    context = SimpleNamespace(
        server_info=SimpleNamespace(used_revision=revision, get_timezone=lambda: "UTC"),
        settings={},
        client_settings={
            "use_numpy": False,
            "strings_encoding": "utf-8",
            "strings_as_bytes": False,
        },
    )
    block = ColumnOrientedBlock(columns, [list(column) for column in data])
    BlockOutputStream(sink, context).write(block)
    return sink.bytes.getvalue()


@st.composite
def blocks(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[list[Any]]]:
    """Columns with their types, and their values; at least one row."""
    kinds = draw(st.lists(st.sampled_from(sorted(_VALUES)), min_size=1, max_size=5))
    rows = draw(st.integers(1, 20))
    data = [draw(st.lists(_VALUES[kind], min_size=rows, max_size=rows)) for kind in kinds]
    return [(f"column {index}", kind) for index, kind in enumerate(kinds)], data


def _unframed(framed: bytes) -> bytes:
    source = ByteSource(first=framed)
    plain = b""
    while not source.at_end:
        plain += compression.read_frame(source)
    return plain


def _in_pieces(whole: bytes, cuts: list[int]) -> ByteSource:
    def pieces() -> Iterator[bytes]:
        edges = [0, *sorted({cut % (len(whole) + 1) for cut in cuts}), len(whole)]
        for start, end in itertools.pairwise(edges):
            if start < end:
                yield whole[start:end]

    remaining = pieces()

    def refill() -> bytes:
        piece = next(remaining, b"")
        if not piece:
            raise EOFError
        return piece

    return ByteSource(refill)


@given(blocks(), st.lists(st.integers(0, 1 << 20), max_size=20))
def test_a_clients_block_becomes_the_engines_whatever_the_pieces(
    block: tuple[list[tuple[str, str]], list[list[Any]]], cuts: list[int]
) -> None:
    native = io.BytesIO()
    source = _in_pieces(_written(*block, revisions.ADVERTISED) + b"next", cuts)

    head = read_client_block(source, revisions.ADVERTISED, native.write)

    assert native.getvalue() == _written(*block, 0)
    assert head.rows == len(block[1][0])
    assert source.take(4) == b"next"


@given(blocks(), blocks(), st.sampled_from([revisions.ADVERTISED, revisions.PARALLEL_REPLICAS]))
def test_the_engines_blocks_become_the_clients(
    first: tuple[list[tuple[str, str]], list[list[Any]]],
    second: tuple[list[tuple[str, str]], list[list[Any]]],
    revision: int,
) -> None:
    native = _written(*first, 0) + _written(*second, 0)

    sent = [b"".join(pieces) for _, pieces in server_blocks(native, revision)]

    assert sent == [_written(*first, revision), _written(*second, revision)]


@given(st.lists(st.binary(max_size=400), max_size=50), st.lists(st.integers(0, 20_000), max_size=9))
def test_strings_are_copied_whatever_their_lengths(texts: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(string(text) for text in texts)
    copied = io.BytesIO()

    _in_pieces(whole, cuts).copy_strings(len(texts), copied.write)

    assert copied.getvalue() == whole


@given(st.integers(0, 2**64 - 1))
def test_numbers_come_back(number: int) -> None:
    assert ByteSource(first=varint(number)).varint() == number


@given(st.binary(min_size=1, max_size=3 << 20), st.integers(0, 1 << 30))
def test_frames_come_back_and_a_changed_byte_is_noticed(plain: bytes, place: int) -> None:
    framed = b"".join(compression.frames([plain]))
    assert _unframed(framed) == plain

    changed = bytearray(framed)
    changed[place % len(framed)] ^= 1
    with pytest.raises(ProtocolError):
        _unframed(bytes(changed))


@given(st.binary(max_size=300), st.sampled_from([54032, 54412, 54453, revisions.ADVERTISED]))
def test_any_bytes_are_a_packet_or_a_protocol_error(garbage: bytes, revision: int) -> None:
    for read in (
        read_hello,
        lambda source: read_addendum(source, revision),
        lambda source: read_query(source, revision, lambda name: "number"),
        lambda source: read_client_block(source, revision, len),
        compression.read_frame,
    ):
        try:
            read(_in_pieces(garbage, [7]))
        except (ProtocolError, EOFError):
            continue


@given(blocks(), st.integers(0, 1 << 20), st.integers(1, 255))
def test_a_block_with_a_changed_byte_is_read_or_refused(
    block: tuple[list[tuple[str, str]], list[list[Any]]], place: int, change: int
) -> None:
    broken = bytearray(_written(*block, revisions.ADVERTISED))
    broken[place % len(broken)] ^= change
    with contextlib.suppress(ProtocolError, EOFError):
        read_client_block(_in_pieces(bytes(broken), []), revisions.ADVERTISED, len)


@given(st.text(alphabet="ABCadeilnprtuy(),'`\\ 0123456789=", max_size=60))
def test_any_text_is_a_type_or_a_protocol_error(text: str) -> None:
    with contextlib.suppress(ProtocolError):
        column_of(text)


@given(_TEXT)
def test_quoted_parameters_are_unquoted(text: str) -> None:
    quoted = "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    assert unquoted(quoted) == text


@given(st.integers(1, 2000), st.text(max_size=50))
def test_every_engine_error_keeps_its_code(code: int, text: str) -> None:
    error: GatewayError = engine_error(f"Code: {code}. DB::Exception: {text}")

    assert error.code == code
