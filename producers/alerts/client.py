"""Alerts as people see to them: reads what is open from the log, and appends what they decide."""

import logging
from collections.abc import Iterator

from modeltrail.producers.alerts.fold import AlertView
from modeltrail.producers.alerts.request import acknowledgement, find_open, silence
from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.eventlog.client import LogClient
from modeltrail.producers.eventlog.port import LogRecord
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import AlertAcknowledged, AlertSilenced, Fact
from modeltrail.schemas.topics import ALERTS, key_of

_POLL_S = 0.2
_log = logging.getLogger(__name__)


class AlertDesk(LogClient):
    """Where alerts are seen to; one thread uses it. Every answer comes from the log itself."""

    def view(self) -> AlertView:
        """What is open as of now.

        Raises:
            Unavailable: Kafka does not answer.
            SchemaRegistryUnavailable: a writer schema is not known yet.
        """
        view = AlertView()
        partitions = tuple(range(self._log.partitions(ALERTS)))
        ends = self._log.end_offsets(ALERTS, partitions)
        for record in read_to_end(self._log, ALERTS, dict.fromkeys(partitions, 0), ends):
            if (fact := self._fact_of(record)) is not None:
                view.absorb(fact)
        return view

    def acknowledge(self, alert: str, by: str, comment: str = "") -> AlertAcknowledged:
        """Say that somebody looks after an open alert.

        Args:
            alert: its id in hex, or a beginning that no other open alert has.
            by: who.
            comment: what for.

        Raises:
            NoSuchAlert: no open alert has such an id.
            AmbiguousAlert: several have.
            InvalidFact: `by` or the comment may not become a fact.
            Unavailable: Kafka does not answer.
        """
        found = find_open(self.view(), alert)
        fact = acknowledgement(found, by, comment, self._clock.now_us())
        self._append(fact.model_id, fact)
        return fact

    def silence(
        self,
        model_id: str,
        for_s: float,
        by: str,
        *,
        rule: str = "",
        subject: str = "",
        comment: str = "",
    ) -> AlertSilenced:
        """Have a model's alerts not delivered from now on, for `for_s` s.

        Raises:
            InvalidFact: one of the values may not become a fact.
            Unavailable: Kafka does not answer.
        """
        fact = silence(model_id, for_s, by, rule, subject, comment, self._clock.now_us())
        self._append(fact.model_id, fact)
        return fact

    def follow(self, *, from_beginning: bool = False) -> Iterator[Fact | None]:
        """Each fact about alerts from now on, or from the first; None when none came for 0.2 s.

        Raises:
            Unavailable: Kafka does not answer.
        """
        partitions = tuple(range(self._log.partitions(ALERTS)))
        starts = dict.fromkeys(partitions, 0)
        if not from_beginning:
            starts = self._log.end_offsets(ALERTS, partitions)
        cursor = self._log.cursor(ALERTS, starts)
        try:
            while True:
                records = cursor.poll(_POLL_S)
                if not records:
                    yield None
                for record in records:
                    if (fact := self._fact_of(record)) is not None:
                        yield fact
        finally:
            cursor.close()

    def _append(self, model_id: str, fact: Fact) -> None:
        appender = Appender(self._log, self._codec)
        appender.put(ALERTS, key_of(model_id), fact)
        appender.finish()

    def _fact_of(self, record: LogRecord) -> Fact | None:
        try:
            return self._codec.decode(record.value or b"")
        except DecodeError as error:
            # The projector puts it into the dead letters; here it must not hide the others.
            _log.warning(
                "skipped partition %d offset %d of the alerts topic: %s",
                *(record.partition, record.offset, error),
            )
            return None
