"""What was consumed is cut into one contiguous range a partition, however it came."""

from dataclasses import dataclass

from modeltrail.sinks.projector.fold import Claim, Position, Range
from modeltrail.sinks.projector.intake import Intake
from modeltrail.sinks.projector.records import Source

PLACE = ("modeltrail.inference", 0)
SOURCE = Source("inference", "0f" * 16, 0)
CLAIM = Claim(1, "me")


@dataclass
class Message:
    """As much of a Kafka message as the intake asks for."""

    at: int
    place: tuple[str, int] = PLACE

    def topic(self) -> str:
        return self.place[0]

    def partition(self) -> int:
        return self.place[1]

    def offset(self) -> int:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return 2, 1000 + self.at

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes:
        return b"value"


def owning(position: Position, *, batch_rows: int = 10, low: int = 0) -> Intake:
    intake = Intake(batch_rows)
    start = max(position.next_offset, low)
    intake.own(PLACE, SOURCE, CLAIM, position, start)
    return intake


def test_a_range_begins_where_the_last_one_ended_even_if_offsets_are_missing() -> None:
    intake = owning(Position(5))
    intake.add([Message(7), Message(9)], now=1.0)

    cut = intake.cut()[SOURCE]

    assert (cut.range, list(cut.records.offsets)) == (Range(5, 10), [7, 9])
    assert list(cut.records.appended_ms) == [1007, 1009]
    assert (intake.waiting, intake.waiting_since) == (0, None)


def test_more_than_a_batch_is_cut_and_the_rest_keeps_waiting() -> None:
    intake = owning(Position(), batch_rows=3)
    intake.add([Message(offset) for offset in range(5)], now=1.0)

    assert intake.is_full()
    assert intake.cut()[SOURCE].range == Range(0, 3)
    assert (intake.waiting, intake.waiting_since) == (2, 1.0)
    assert intake.cut()[SOURCE].range == Range(3, 5)


def test_an_open_range_waits_until_all_of_it_is_there_and_comes_again_as_it_was() -> None:
    intake = owning(Position(2, Range(2, 6)))
    intake.add([Message(2), Message(3)], now=1.0)
    assert intake.cut() == {}

    intake.add([Message(4), Message(5), Message(6)], now=2.0)

    assert intake.cut()[SOURCE].range == Range(2, 6)
    assert intake.cut()[SOURCE].range == Range(6, 7)


def test_an_open_range_whose_records_left_kafka_is_finished_without_them() -> None:
    intake = owning(Position(2, Range(2, 6)), low=20)
    intake.add([Message(20)], now=1.0)

    cut = intake.cut()[SOURCE]
    assert (cut.range, len(cut.records)) == (Range(2, 6), 0)
    assert intake.cut()[SOURCE].range == Range(6, 21)


def test_records_that_come_again_or_belong_to_others_are_left_out() -> None:
    intake = owning(Position(3))
    other = ("modeltrail.inference", 1)
    intake.add([Message(1), Message(2), Message(3), Message(0, other)], now=1.0)
    intake.add([Message(3), Message(4)], now=1.0)

    assert list(intake.cut()[SOURCE].records.offsets) == [3, 4]


def test_a_partition_that_is_forgotten_takes_its_messages_along() -> None:
    intake = owning(Position())
    intake.add([Message(0)], now=1.0)

    intake.forget([PLACE])

    assert (intake.cut(), intake.waiting) == ({}, 0)


def test_a_partition_that_came_back_is_not_lost_with_its_old_claim() -> None:
    # given a range that is being written under a claim that somebody has topped since
    intake = owning(Position())
    assert intake.places_under({SOURCE: CLAIM}) == [PLACE]
    # when the partition comes back to us before that write has ended
    intake.own(PLACE, SOURCE, Claim(CLAIM.epoch + 2, "me"), Position(), 0)
    # then the end of that write takes nothing from us
    assert intake.places_under({SOURCE: CLAIM}) == []
