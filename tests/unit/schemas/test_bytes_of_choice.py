"""A byte that chooses a branch or a symbol, or is true or false, is read in a fetch as alone."""

from dataclasses import replace
from typing import Any

import pytest

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.batch import DecodedBatch, decode_batch
from modeltrail.schemas.codec import Codec, decode_record, encode_datum
from modeltrail.schemas.container import read_container
from modeltrail.schemas.events import (
    AlertRaised,
    ArchiveRequested,
    DeadLetter,
    DeploymentSucceeded,
    Fact,
    InferenceMeasured,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import Version, derived_event_id
from modeltrail.schemas.wire import HEADER_BYTES, schema_id_of

NO_BRANCH = [*range(4, 128, 7), 5, 6, 126, 127]


@pytest.fixture
def codec() -> Codec:
    return Codec(MemorySchemaIds())


def place_of_difference(one: bytes, other: bytes) -> int:
    return next(place for place in range(len(one)) if one[place] != other[place])


def with_byte(value: bytes, place: int, byte: int) -> bytes:
    return value[:place] + bytes([byte]) + value[place + 1 :]


def without(fact: Fact, name: str) -> Fact:
    absent: dict[str, Any] = {name: None}
    return replace(fact, **absent)


def decoded_between_neighbours(codec: Codec, fact: Fact, value: bytes) -> DecodedBatch:
    """What is decoded of a value between two good ones; the neighbours must be what they were."""
    left, right = (
        codec.encode(replace(fact, event_id=derived_event_id(side))) for side in ("left", "right")
    )
    expected = decode_batch([left, right], codec).frames[fact.record].drop("position")
    decoded = decode_batch([left, value, right], codec)
    frame = decoded.frames[fact.record]
    assert frame.filter(frame["position"] != 1).drop("position").equals(expected)
    return decoded


def in_one_container(codec: Codec, value: bytes) -> bool:
    writer = codec.writer_of(schema_id_of(value))
    return read_container(writer, [value[HEADER_BYTES:]]) is not None


@pytest.mark.parametrize("byte", NO_BRANCH)
def test_a_branch_that_no_union_has_is_refused_alone(byte: int, codec: Codec) -> None:
    succeeded = replace(example_fact(DeploymentSucceeded), replaced_version=Version("v1.0.0"))
    value = codec.encode(succeeded)
    place = place_of_difference(value, codec.encode(without(succeeded, "replaced_version")))

    decoded = decoded_between_neighbours(codec, succeeded, with_byte(value, place, byte))

    assert [reject.position for reject in decoded.rejects] == [1]


@pytest.mark.parametrize("byte", [4, 100])
def test_a_wrong_branch_is_found_in_each_of_many_unions(byte: int, codec: Codec) -> None:
    present: dict[str, Any] = {"detect_ms": 1.5, "latency_ms": 2.5, "faces": 300, "face_size": 0.5}
    measured = replace(example_fact(InferenceMeasured), **present, merge_ms=None)
    value = codec.encode(measured)
    for name in present:
        absent = codec.encode(without(measured, name))
        wrong = with_byte(value, place_of_difference(value, absent), byte)
        decoded = decoded_between_neighbours(codec, measured, wrong)
        assert [reject.position for reject in decoded.rejects] == [1]


@pytest.mark.parametrize("byte", [1, 3])
def test_a_negative_branch_is_read_by_a_fetch_as_it_is_alone(byte: int, codec: Codec) -> None:
    """The reader of single records counts such branches from the end; columns must not differ."""
    succeeded = replace(example_fact(DeploymentSucceeded), replaced_version=Version("v1.0.0"))
    value = codec.encode(succeeded)
    place = place_of_difference(value, codec.encode(without(succeeded, "replaced_version")))
    negative = with_byte(value, place, byte)

    decoded = decoded_between_neighbours(codec, succeeded, negative)

    assert not in_one_container(codec, negative)
    assert [reject.position for reject in decoded.rejects] == ([] if byte == 1 else [1])


@pytest.mark.parametrize("byte", [2, 3, 127, 128, 255])
def test_a_boolean_of_another_byte_is_what_it_is_alone(byte: int, codec: Codec) -> None:
    requested = replace(example_fact(ArchiveRequested), restore=True)
    value = codec.encode(requested)
    place = place_of_difference(value, codec.encode(replace(requested, restore=False)))
    other = with_byte(value, place, byte)
    alone = decode_record(codec.writer_of(schema_id_of(other)), other)

    decoded = decoded_between_neighbours(codec, requested, other)

    assert decoded.rejects == ()
    row = decoded.frames[ArchiveRequested.record].row(1, named=True)
    assert row["restore"] == alone["restore"]


@pytest.mark.parametrize("byte", [12, 13, 126, 127])
def test_a_symbol_that_no_enum_has_is_refused_alone(byte: int, codec: Codec) -> None:
    raised = example_fact(AlertRaised)
    value = codec.encode(raised)
    kinds = {fact.kind: fact for fact in (replace(raised, kind=kind) for kind in type(raised.kind))}
    other = next(fact for kind, fact in kinds.items() if kind != raised.kind)
    wrong = with_byte(value, place_of_difference(value, codec.encode(other)), byte)

    decoded = decoded_between_neighbours(codec, raised, wrong)

    assert [reject.position for reject in decoded.rejects] == [1]


def test_a_long_in_place_of_an_int_is_refused_alone(codec: Codec) -> None:
    """Cut to 32 bits it would be another number, of as many bytes."""
    letter = replace(example_fact(DeadLetter), partition=2**30)
    written, longer = b"\x80\x80\x80\x80\x08", b"\x80\x80\x80\x80\x28"
    datum = encode_datum(letter)
    assert datum.count(written) == 1
    value = codec.header_of(DeadLetter) + datum.replace(written, longer)

    decoded = decoded_between_neighbours(codec, letter, value)

    assert [reject.position for reject in decoded.rejects] == [1]
