"""Reads from the log what a backtest plays, and which alerts there really were."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl

from modeltrail.infra.cli.alert_lines import time_of
from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.control_log import ControlLog
from modeltrail.infra.errors import Unavailable
from modeltrail.infra.log_reader import LogRecord, PartitionReader
from modeltrail.processors.backtest import Source, time_mark
from modeltrail.processors.windows.reading import Batch
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import DecodedBatch, decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import AlertState, Fact, MeasurementSampled
from modeltrail.schemas.topics import ALERTS, INFERENCE, SAMPLES, Topic

_BATCH = 10_000


class LogTooShort(Unavailable):
    """The log does not reach back as far as a backtest has to read."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is played, by append time in ms: from `start_ms`, and up to `end_ms` with it."""

    start_ms: int
    end_ms: int


class BacktestLog:
    """The topics that a backtest reads; every call may raise `Unavailable`.

    Args:
        settings: of the Kafka that holds them.
        codec: decodes the records.
        model: measurements of other models are left out; "" leaves none out.
    """

    def __init__(self, settings: KafkaSettings, codec: Codec, model: str) -> None:
        self._settings = settings
        self._codec = codec
        self._model = model

    def control(self) -> list[Appended]:
        """Everything in the topics of rules and of the registry."""
        with closing(ControlLog(self._settings, self._codec)) as control:
            control.wait_until_complete(0)
            return control.records_since(0)

    def sources(self, span: Span, most_samples: int, opened: ExitStack) -> dict[int, Source]:
        """Every partition of measurements; its batches are read as they are asked for.

        Args:
            span: what to play.
            most_samples: how many samples of earlier measurements to read at the most.
            opened: closes the readers.

        Raises:
            LogTooShort: records after the start of the span have been deleted.
        """
        return {
            partition: self._source(partition, span, most_samples, opened)
            for partition in range(self._settings.partitions)
        }

    def alerts_since(self, appended_ms: int) -> Iterator[AlertState]:
        """Every step of an alert that was appended since then."""
        for partition in range(self._settings.partitions):
            with closing(self._reader(ALERTS, partition)) as reader:
                first = reader.offset_at(appended_ms)
                if first is not None:
                    for fact in self._facts(reader.read(first, reader.bounds()[1])):
                        if isinstance(fact, AlertState):
                            yield fact

    def _source(self, partition: int, span: Span, most_samples: int, opened: ExitStack) -> Source:
        reader = opened.enter_context(closing(self._reader(INFERENCE, partition)))
        low, high = reader.bounds()
        first = _or(reader.offset_at(span.start_ms), high)
        end = _or(reader.offset_at(span.end_ms + 1), high)
        if first == low > 0:
            _check_reaches_back(reader, low, high, span)
        return Source(
            self._batches(reader, first, end, span),
            from_beginning=first == 0,
            samples=self._samples(partition, span, most_samples) if first else (),
        )

    def _batches(
        self, reader: PartitionReader, first: int, end: int, span: Span
    ) -> Iterator[Batch]:
        # Marks at both ends, so that a partition without records does not hold the others up.
        if first > 0:
            yield time_mark(first - 1, span.start_ms)
        if first < end:
            yield from self._decoded(reader.read(first, end))
        if end == 0:
            yield time_mark(0, span.start_ms)
        yield time_mark(max(end, 1), span.end_ms)

    def _decoded(self, records: Iterator[LogRecord]) -> Iterator[Batch]:
        while chunk := list(islice(records, _BATCH)):
            yield Batch(
                np.array([record.offset for record in chunk]),
                np.array([record.appended_ms for record in chunk]),
                self._of_model(decode_batch([record.value for record in chunk], self._codec)),
            )

    def _of_model(self, decoded: DecodedBatch) -> DecodedBatch:
        if not self._model:
            return decoded
        frames = {
            record: frame.filter(pl.col("model_id") == self._model)
            for record, frame in decoded.frames.items()
            if "model_id" in frame.columns
        }
        return DecodedBatch(frames, decoded.rejects)

    def _samples(self, partition: int, span: Span, most: int) -> Sequence[MeasurementSampled]:
        with closing(self._reader(SAMPLES, partition)) as reader:
            low, high = reader.bounds()
            end = _or(reader.offset_at(span.start_ms), high)
            facts = self._facts(reader.read(max(low, end - most), end))
            return [fact for fact in facts if isinstance(fact, MeasurementSampled)]

    def _facts(self, records: Iterator[LogRecord]) -> Iterator[Fact]:
        for record in records:
            if record.value is not None:
                try:
                    yield self._codec.decode(record.value)
                except DecodeError:
                    # The projector reads these topics too and files the dead letter.
                    continue

    def _reader(self, topic: Topic, partition: int) -> PartitionReader:
        return PartitionReader(
            self._settings, topic.full_name(self._settings.topic_prefix), partition
        )


def _check_reaches_back(reader: PartitionReader, low: int, high: int, span: Span) -> None:
    oldest = next(reader.read(low, low + 1), None) if low < high else None
    if oldest is None or oldest.appended_ms > span.start_ms:
        since = f"since {time_of(oldest.appended_ms * 1000)}" if oldest else "none any more"
        raise LogTooShort(
            f"{reader} holds measurements {since}, and {time_of(span.start_ms * 1000)} is where "
            "reading has to begin: choose a later --from, or keep measurements for longer "
            "(kafka.inference_retention_days)"
        )


def _or(offset: int | None, otherwise: int) -> int:
    return otherwise if offset is None else offset
