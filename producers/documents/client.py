"""Asks for documents and waits until the worker has kept them in the artifact store."""

import logging
from contextlib import closing

from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.eventlog.client import LogClient
from modeltrail.producers.eventlog.port import LogRecord
from modeltrail.schemas.errors import DecodeError, ModeltrailError
from modeltrail.schemas.events import (
    DocumentGenerated,
    DocumentKind,
    DocumentRefused,
    DocumentRequested,
    Fact,
)
from modeltrail.schemas.ids import Micros, Version, check_id, new_event_id
from modeltrail.schemas.topics import DOCUMENTS, key_of

DEFAULT_TIMEOUT_S = 120.0
_POLL_S = 0.2
_log = logging.getLogger(__name__)


class DocumentNotMade(ModeltrailError):
    """The worker refused the document; the message says why and what to do."""


class DocumentTimeout(ModeltrailError):
    """No worker made the document in time; the request stays: start `modeltrail worker jobs`."""


class DocumentsClient(LogClient):
    """Where documents are asked for; one thread uses it."""

    def keep(
        self,
        kind: DocumentKind,
        subject: str,
        *,
        version: str | None = None,
        as_of: int | None = None,
        requested_by: str = "",
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> DocumentGenerated:
        """Ask for a document and wait until it is in the artifact store.

        Args:
            kind: card or report.
            subject: model_id of a card; experiment_id, or one of its run ids, of a report.
            version: of the model; None: the one registered last.
            as_of: moment that it tells of, microseconds since 1970, UTC; None: now.
            requested_by: who asks.
            timeout_s: how long to wait, s.

        Raises:
            DocumentNotMade: the worker refused.
            DocumentTimeout: no answer in time; the request stays.
            InvalidFact: a name may not become part of a fact.
            Unavailable: Kafka does not answer.
            SchemaRegistryUnavailable: the schema registry does not answer.
        """
        request = DocumentRequested(
            event_id=new_event_id(),
            occurred_at=Micros(self._clock.now_us()),
            subject=check_id("subject", subject),
            kind=kind,
            version=None if version is None else Version(check_id("version", version)),
            as_of=None if as_of is None else Micros(as_of),
            requested_by=check_id("requested_by", requested_by) if requested_by else "",
        )
        partitions = tuple(range(self._log.partitions(DOCUMENTS)))
        ends = self._log.end_offsets(DOCUMENTS, partitions)
        appender = Appender(self._log, self._codec)
        appender.put(DOCUMENTS, key_of(request.subject), request)
        appender.finish()
        return self._answer_to(request, ends, timeout_s)

    def _answer_to(
        self, request: DocumentRequested, ends: dict[int, int], timeout_s: float
    ) -> DocumentGenerated:
        deadline = self._clock.monotonic() + timeout_s
        with closing(self._log.cursor(DOCUMENTS, ends)) as cursor:
            while self._clock.monotonic() < deadline:
                for record in cursor.poll(_POLL_S):
                    fact = self._fact_of(record)
                    if getattr(fact, "request_id", None) != request.event_id:
                        continue
                    if isinstance(fact, DocumentRefused):
                        raise DocumentNotMade(fact.detail)
                    if isinstance(fact, DocumentGenerated):
                        return fact
        raise DocumentTimeout(
            f"no worker made the document of {request.subject!r:.80} within {timeout_s:g} s: the "
            "request stays; start `modeltrail worker jobs`"
        )

    def _fact_of(self, record: LogRecord) -> Fact | None:
        try:
            return self._codec.decode(record.value or b"")
        except DecodeError as error:
            # The projector files the dead letter; here it must not hide the others.
            _log.warning("a record of the documents topic was skipped: %s", error)
            return None
