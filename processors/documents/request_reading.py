"""Reads which documents events asked for, each record of the topic `documents` once."""

from collections.abc import Iterator
from contextlib import closing

from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import LogRecord, PartitionReader
from modeltrail.processors.documents.automation import is_automatic
from modeltrail.processors.documents.reading import SubjectReader
from modeltrail.processors.documents.superseding import About, AutomaticRequests, Place
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import DocumentKind, DocumentRequested
from modeltrail.schemas.topics import DOCUMENTS
from modeltrail.schemas.wire import schema_id_of


class RequestReader:
    """Knows of each automatic request whether a newer one for the same document is in the log."""

    def __init__(self, settings: Settings, codec: Codec, subjects: SubjectReader) -> None:
        self._kafka = settings.kafka
        self._codec = codec
        self._subjects = subjects
        self._requests = AutomaticRequests()

    def newer_than(self, request: Appended) -> Place | None:
        """Where the newest automatic request for the same document lies; None: it is this one.

        Raises:
            Unavailable: Kafka does not answer.
        """
        event_id = request.fact.event_id
        # What was superseded once stays so: most requests of a sweep cost no reading.
        if (newer := self._requests.newer_than(event_id)) is not None:
            return newer
        self._follow()
        return self._requests.newer_than(event_id)

    def _follow(self) -> None:
        """Take note of what the topic has got since the last time, wholly or not at all."""
        found: list[Appended] = []
        ends: dict[int, int] = {}
        for partition in range(self._kafka.partitions):
            name = DOCUMENTS.full_name(self._kafka.topic_prefix)
            with closing(PartitionReader(self._kafka, name, partition)) as reader:
                low, end = reader.bounds()
                if end < self._requests.following(partition):
                    # The topic was made anew.
                    self._requests = AutomaticRequests()
                    self._follow()
                    return
                first = max(low, self._requests.following(partition))
                if first < end:
                    found += self._automatic(partition, reader.read(first, end))
            ends[partition] = end
        # The start of a run lies in the log before its end, which asked for the report.
        if any(_wanted(each).kind is DocumentKind.EXPERIMENT_REPORT for each in found):
            self._subjects.follow_runs()
        for request in found:
            self._requests.met(request, self._about(request))
        for partition, end in ends.items():
            self._requests.passed(partition, end)

    def _automatic(self, partition: int, records: Iterator[LogRecord]) -> Iterator[Appended]:
        for record in records:
            if record.value is None:
                continue
            try:
                # Told apart without being decoded: an answer is larger than its request.
                writer = self._codec.writer_of(schema_id_of(record.value))
                if writer.record != DocumentRequested.record:
                    continue
                fact = self._codec.decode(record.value)
            except DecodeError:
                # The projector reads this topic too and files the dead letter.
                continue
            if isinstance(fact, DocumentRequested) and is_automatic(fact):
                yield Appended(partition, record.offset, record.appended_ms, fact)

    def _about(self, request: Appended) -> About:
        wanted = _wanted(request)
        subject: str = wanted.subject
        if wanted.kind is DocumentKind.EXPERIMENT_REPORT:
            subject = self._subjects.experiment_of(subject, request.appended_ms)
        return wanted.kind, subject, wanted.version


def _wanted(request: Appended) -> DocumentRequested:
    assert isinstance(request.fact, DocumentRequested)
    return request.fact
