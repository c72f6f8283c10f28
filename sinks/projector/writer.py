"""Performs the steps of the protocol against ClickHouse and Kafka, waiting out what is away."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import DeadLetter, InferenceMeasured
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.topics import DEAD_LETTERS, EXPERIMENTS, INFERENCE, REGISTRY, key_of
from modeltrail.sinks.projector.fold import Claim, Position, Range
from modeltrail.sinks.projector.patience import Stopped, persist, say_waiting, will_pass
from modeltrail.sinks.projector.protocol import (
    Answer,
    Insert,
    ReadMarks,
    Step,
    WriteMarks,
    take_over,
    write,
)
from modeltrail.sinks.projector.records import Projected, Records, Source
from modeltrail.sinks.projector.tables import Tables

STALE_AFTER_S = 20.0
RETRY_PAUSE_S = 1.0

# Facts of these were once projected into the log alone.
_FILLED_TOPICS = (REGISTRY.name, EXPERIMENTS.name)

_log = logging.getLogger(__name__)

Steps = Generator[Step[Source, Projected], Answer[Source], Any]


@dataclass(frozen=True, slots=True)
class Cut:
    """A range of one partition, who owns it, and its records."""

    claim: Claim
    range: Range
    records: Records


class Writer:
    """Takes partitions over and writes ranges; one call at a time."""

    def __init__(
        self,
        tables: Tables,
        producer: AcknowledgedProducer,
        codec: Codec,
        project: Callable[[Records], Projected],
        *,
        topic_prefix: str,
        writer_id: str,
        stop: threading.Event,
    ) -> None:
        """Wire the parts; `project` turns the records of a range into rows and letters."""
        self._tables = tables
        self._producer = producer
        self._codec = codec
        self._project = project
        self._dead_letters = DEAD_LETTERS.full_name(topic_prefix)
        self._writer_id = writer_id
        self._stop = stop
        self._marks_read_at = 0.0
        self._letters: dict[Source, int] = {}

    def warm_up(self) -> None:
        """Project a measurement in vain: what that loads would delay the first batch by 1 s."""
        try:
            self._project(self._an_example())
        except ModeltrailError as error:
            _log.info("not warmed up, the first batch takes longer: %s", error)

    def take_over(self, sources: Sequence[Source]) -> dict[Source, tuple[Claim, Position]]:
        """Claim `sources`; give claim and position of those that nobody claimed higher.

        Raises:
            Stopped: while waiting for a server.
        """
        if not sources:
            return {}
        taken: dict[Source, tuple[Claim, Position]] = self._drive(
            take_over(sources, self._writer_id)
        )
        if known := {
            source: position.next_offset
            for source, (_, position) in taken.items()
            if source.topic in _FILLED_TOPICS
        }:
            persist(lambda: self._tables.fill(known), self._stop, "filling tables from the log")
        return taken

    def write(self, cuts: Mapping[Source, Cut]) -> set[Source]:
        """Bring `cuts` into the tables; give the sources that somebody else owns by now.

        Raises:
            TooManyDeadLetters: most of a cut cannot be read; nothing of any cut was written.
            Stopped: while waiting for a server.
        """
        ranges = {
            source: (cut.claim, cut.range, self._decode(cut.records))
            for source, cut in cuts.items()
        }
        self._letters = {source: rows.unreadable for source, (_, _, rows) in ranges.items()}
        lost: set[Source] = self._drive(write(ranges, self._is_stale))
        return lost

    def _an_example(self) -> Records:
        fact = replace(example_fact(InferenceMeasured), extra_names=(), extra_values=())
        return Records(
            Source(INFERENCE.name, "", 0),
            np.zeros(1, dtype=np.int64),
            np.full(1, fact.captured_at // 1000),
            [None],
            [self._codec.encode(fact)],
        )

    def _decode(self, records: Records) -> Projected:
        return persist(lambda: self._project(records), self._stop, "decoding")

    def _drive(self, steps: Steps) -> Any:
        answer: Answer[Source] = None
        try:
            while True:
                step = steps.send(answer)
                answer = self._perform(step)
        except StopIteration as finished:
            return finished.value

    def _perform(self, step: Step[Source, Projected]) -> Answer[Source]:
        match step:
            case ReadMarks(keys):
                answer = persist(
                    lambda: self._tables.read_marks(keys), self._stop, "reading sink progress"
                )
                self._marks_read_at = time.monotonic()
                return answer
            case WriteMarks(marks):
                persist(
                    lambda: self._tables.write_marks(marks, self._letters),
                    self._stop,
                    "writing sink progress",
                )
            case Insert(source, of, projected):
                return self._insert(source, of, projected)
        return None

    def _insert(self, source: Source, of: Range, projected: Projected) -> bool:
        """One attempt; only the protocol decides on another, since ownership may pass meanwhile."""
        try:
            if projected.dead_letters:
                self._send(projected.dead_letters)
            for rows in projected.rows:
                self._tables.insert(source, of, rows)
        except Exception as error:
            if not will_pass(error):
                raise
            say_waiting(f"inserting {source.topic} {source.partition}", error)
            if self._stop.wait(RETRY_PAUSE_S):
                raise Stopped(str(source)) from error
            return False
        return True

    def _is_stale(self) -> bool:
        return time.monotonic() - self._marks_read_at > STALE_AFTER_S

    def _send(self, letters: tuple[DeadLetter, ...]) -> None:
        self._producer.append(
            self._dead_letters,
            (
                (key_of(letter.topic, str(letter.partition)), self._codec.encode(letter))
                for letter in letters
            ),
        )
