"""Bytes made to break a reader are refused in bounded time and memory, and alone."""

import json
import struct
import subprocess
import sys
from dataclasses import replace

import pytest

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, MetricsLogged, RunEnded
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import derived_event_id
from modeltrail.schemas.wire import frame_header


def number(value: int) -> bytes:
    """Avro's zig-zag variable-length encoding of 64 bits."""
    rest = ((value << 1) ^ (value >> 63)) & (2**64 - 1)
    out = bytearray()
    while rest >= 0x80:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def text(value: str) -> bytes:
    return number(len(value.encode())) + value.encode()


START = bytes(range(16)) + number(7) + text("run")
ENDED, LOGGED = frame_header(1) + START, frame_header(2) + START
NO_STEP, END = number(0), number(0)
HUGE = 2**62

REFUSED: dict[str, bytes] = {
    "string of 4 EiB": ENDED + number(1) + number(HUGE) + b"why",
    "string of 4 GiB": ENDED + number(1) + number(2**32) + b"why",
    "string of negative length": ENDED + number(1) + number(-2) + b"why",
    "string of the least length": ENDED + number(1) + number(-(2**63)) + b"why",
    "string that is no UTF-8": ENDED + number(1) + number(2) + b"\xff\xfe",
    "string cut inside a character": ENDED + number(1) + number(1) + b"\xc3",
    "string of half a surrogate pair": ENDED + number(1) + number(3) + b"\xed\xa0\x80",
    "overlong zero character": ENDED + number(1) + number(2) + b"\xc0\x80",
    "number without an end": ENDED + b"\xff" * 40,
    "enum past its symbols": ENDED + number(4) + text("why"),
    "enum far past its symbols": ENDED + number(HUGE) + text("why"),
    "enum that wraps to 0 in 32 bits": ENDED + number(2**32) + text("why"),
    "enum far below zero": ENDED + number(-9) + text("why"),
    "union past its branches": LOGGED + number(2) + END + END,
    "union far past its branches": LOGGED + number(HUGE) + END + END,
    "union that wraps to 0 in 8 bits": LOGGED + number(256) + END + END,
    "union far below zero": LOGGED + number(-9) + END + END,
    "array of 2^60 strings": LOGGED + NO_STEP + number(2**60) + text("a") + END + END,
    "array of 2^60 empty strings": LOGGED + NO_STEP + number(2**60) + bytes(1000),
    "array of 2^60 numbers": LOGGED + NO_STEP + END + number(2**60) + bytes(80),
    "array of 2^63 - 1 numbers": LOGGED + NO_STEP + END + number(2**63 - 1) + bytes(80),
    "array of -2^63 numbers": LOGGED + NO_STEP + END + number(-(2**63)) + number(8) + bytes(80),
    "array of -2^60 numbers": LOGGED + NO_STEP + END + number(-(2**60)) + number(8) + bytes(80),
    "array without its end": LOGGED + NO_STEP + END + number(1) + bytes(8),
}

BLOCKS_WITH_SIZES = (
    LOGGED
    + NO_STEP
    + (number(-2) + number(4) + text("a") + text("b") + END)
    + (number(1) + struct.pack("<d", 1.0) + number(-1) + number(8) + struct.pack("<d", 2.0) + END)
)


def neighbours(kind: type[Fact]) -> list[Fact]:
    return [replace(example_fact(kind), event_id=derived_event_id(side)) for side in "lr"]


@pytest.fixture
def codec() -> Codec:
    codec = Codec(MemorySchemaIds())
    headers = [codec.header_of(RunEnded), codec.header_of(MetricsLogged)]
    assert headers == [frame_header(1), frame_header(2)]
    return codec


@pytest.mark.parametrize("hostile", REFUSED.values(), ids=REFUSED)
def test_hostile_bytes_are_refused_alone(hostile: bytes, codec: Codec) -> None:
    kind = RunEnded if hostile.startswith(ENDED) else MetricsLogged
    left, right = (codec.encode(fact) for fact in neighbours(kind))
    expected = decode_batch([left, right], codec).frames[kind.record].drop("position")

    decoded = decode_batch([left, hostile, right], codec)

    assert [reject.position for reject in decoded.rejects] == [1]
    assert len(str(decoded.rejects[0].error)) <= 500
    assert decoded.frames[kind.record].drop("position").equals(expected)


def test_arrays_in_blocks_with_sizes_are_read(codec: Codec) -> None:
    left, right = (codec.encode(fact) for fact in neighbours(MetricsLogged))
    decoded = decode_batch([left, BLOCKS_WITH_SIZES, right], codec)
    row = decoded.frames[MetricsLogged.record].to_dicts()[1]
    assert decoded.rejects == ()
    assert (row["names"], row["values"]) == (["a", "b"], [1.0, 2.0])


DECODE_WITHIN_LIMITS = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import MetricsLogged, RunEnded
codec = Codec(MemorySchemaIds())
codec.header_of(RunEnded), codec.header_of(MetricsLogged)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fetches = [[bytes.fromhex(value) for value in fetch] for fetch in json.load(sys.stdin)]
refused = [len(decode_batch(fetches[0], codec).rejects)]
before = peak()
refused += [len(decode_batch(fetch, codec).rejects) for fetch in fetches[1:]]
json.dump({"refused": refused, "grown_mib": (peak() - before) / 1024}, sys.stdout)
"""


def test_hostile_bytes_cost_little_memory_and_never_end_the_process(codec: Codec) -> None:
    fillers = [codec.encode(fact) for fact in neighbours(RunEnded)] * 500
    fetches = [[hostile, *fillers] for hostile in REFUSED.values()]
    answer = subprocess.run(
        [sys.executable, "-c", DECODE_WITHIN_LIMITS],
        input=json.dumps([[value.hex() for value in fetch] for fetch in fetches]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    result = json.loads(answer.stdout)
    assert result["refused"] == [1] * len(REFUSED)
    # The first hostile datum loads the symbols for Rust's backtrace (60 MiB); none adds to that.
    assert result["grown_mib"] < 100
