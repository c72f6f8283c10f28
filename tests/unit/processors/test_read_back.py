"""What a worker wrote comes back as it was, and as the bytes say where it did not write them."""

from dataclasses import replace

import pytest

from modeltrail.processors.read_back import ReadBackCodec
from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, WindowClosed
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.topics import INFERENCE, WINDOWS

CLOSED = example_fact(WindowClosed)


@pytest.mark.parametrize("kind", WINDOWS.facts)
def test_a_fact_that_was_written_comes_back_once_without_being_decoded(kind: type[Fact]) -> None:
    # Given
    codec = ReadBackCodec(MemorySchemaIds())
    fact = example_fact(kind)
    (value,) = codec.encode_all([fact])
    # When
    first, second = codec.decode(value), codec.decode(value)
    # Then
    assert first is fact
    assert second is not fact
    assert second == fact


def test_what_another_worker_wrote_under_the_same_id_is_what_its_bytes_say() -> None:
    # Given a window that was written here
    ids = MemorySchemaIds()
    codec = ReadBackCodec(ids)
    codec.encode_all([CLOSED])
    # When another is read that tells it apart by nothing but a count
    other = replace(CLOSED, measurements=CLOSED.measurements + 1)
    found = codec.decode(Codec(ids).encode(other))
    # Then
    assert found.event_id == CLOSED.event_id
    assert found == other


def test_only_what_is_read_here_is_remembered() -> None:
    codec = ReadBackCodec(MemorySchemaIds())
    for kind in INFERENCE.facts:
        fact = example_fact(kind)
        (value,) = codec.encode_all([fact])
        assert codec.decode(value) is not fact


def test_what_was_written_first_is_forgotten_first() -> None:
    # Given room for two
    size = len(Codec(MemorySchemaIds()).encode(CLOSED))
    codec = ReadBackCodec(MemorySchemaIds(), most_bytes=2 * size)
    facts = [replace(CLOSED, event_id=EventId(bytes([number] * 16))) for number in range(3)]
    # When
    values = codec.encode_all(facts)
    # Then
    found = [codec.decode(value) for value in values]
    assert found == facts
    assert [one is other for one, other in zip(found, facts, strict=True)] == [False, True, True]


def test_a_fact_that_is_written_twice_takes_room_once() -> None:
    # Given room for one, written twice
    size = len(Codec(MemorySchemaIds()).encode(CLOSED))
    codec = ReadBackCodec(MemorySchemaIds(), most_bytes=size)
    (again, _) = codec.encode_all([CLOSED, CLOSED])
    # Then
    assert codec.decode(again) is CLOSED
