"""Makes the documents that were asked for, and says in the log where they are."""

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from modeltrail.infra.config import Settings
from modeltrail.infra.confined import Interrupted
from modeltrail.processors.documents.automation import is_automatic
from modeltrail.processors.documents.document import Document
from modeltrail.processors.documents.experiment_report import experiment_report
from modeltrail.processors.documents.model_card import model_card
from modeltrail.processors.documents.reading import NothingKnown, SubjectReader
from modeltrail.processors.documents.rendering import TemplateFailed, html_of, markdown_of
from modeltrail.processors.documents.request_reading import RequestReader
from modeltrail.processors.documents.superseding import superseded_by
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    DocumentGenerated,
    DocumentKind,
    DocumentRefused,
    DocumentRequested,
    Fact,
)
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version, derived_event_id

Keep = Callable[[Path], tuple[str, Sha256]]
"""Stores a file for good; gives its URI and SHA-256."""


class DocumentJob:
    """Answers `DocumentRequested`; see `infra.jobs.Job`."""

    def __init__(self, settings: Settings, codec: Codec, keep: Keep) -> None:
        self._reader = SubjectReader(settings, codec)
        self._requests = RequestReader(settings, codec, self._reader)
        templates = settings.documents.templates
        self._templates = Path(templates) if templates else None
        self._keep = keep

    def takes(self, fact: Fact) -> bool:
        """Whether this is a request for a document."""
        return isinstance(fact, DocumentRequested)

    def expires_s(self, fact: Fact) -> float | None:  # noqa: ARG002
        """Never: a document of a past moment is made at any time."""
        return None

    def do(self, request: Appended, stop: threading.Event) -> Fact:
        """The document as it was when the request was appended, or at the moment it names.

        An automatic request is refused where the log has a newer one for the same document.

        Raises:
            Interrupted: `stop` was set; the request comes again.
            Unavailable: Kafka or the artifact store does not answer.
            ConfigError: matplotlib is not installed.
        """
        asked = request.fact
        assert isinstance(asked, DocumentRequested)
        as_of = asked.as_of if asked.as_of is not None else Micros(request.appended_ms * 1000)
        newer = self._requests.newer_than(request) if is_automatic(asked) else None
        if newer is not None:
            return _refused(asked, as_of, superseded_by(newer))
        try:
            _go_on_unless(stop)
            version, document = self._document(asked, as_of)
            _go_on_unless(stop)
            markdown_uri, markdown_sha256 = self._kept(
                markdown_of(document, self._templates), "document.md"
            )
            _go_on_unless(stop)
            html_uri, html_sha256 = self._kept(html_of(document, self._templates), "document.html")
        except (NothingKnown, TemplateFailed) as error:
            return _refused(asked, as_of, str(error))
        return DocumentGenerated(
            event_id=derived_event_id(DocumentGenerated.record, asked.event_id),
            occurred_at=as_of,
            request_id=asked.event_id,
            subject=asked.subject,
            kind=asked.kind,
            version=version,
            as_of=as_of,
            trigger=asked.requested_by,
            markdown_uri=markdown_uri,
            markdown_sha256=markdown_sha256,
            html_uri=html_uri,
            html_sha256=html_sha256,
            citations=document.citations,
            sections=document.sections,
        )

    def _document(self, asked: DocumentRequested, as_of: Micros) -> tuple[Version | None, Document]:
        if asked.kind is DocumentKind.MODEL_CARD:
            model_id = ModelId(asked.subject)
            version, facts = self._reader.of_model(model_id, asked.version, as_of)
            hours = self._reader.live_hours
            return version, model_card(model_id, version, facts, as_of, hours)
        if asked.kind is DocumentKind.EXPERIMENT_REPORT:
            experiment_id, facts = self._reader.of_experiment(asked.subject, as_of)
            return None, experiment_report(experiment_id, facts, as_of)
        raise NothingKnown(f"no document is of kind {asked.kind}: ask for a card or a report")

    def _kept(self, text: str, name: str) -> tuple[str, Sha256]:
        with tempfile.TemporaryDirectory(prefix="modeltrail-documents-") as folder:
            path = Path(folder) / name
            path.write_text(text, encoding="utf-8")
            return self._keep(path)


def _go_on_unless(stop: threading.Event) -> None:
    if stop.is_set():
        raise Interrupted("the document was not finished: its request comes again")


def _refused(asked: DocumentRequested, as_of: Micros, detail: str) -> DocumentRefused:
    return DocumentRefused(
        event_id=derived_event_id(DocumentRefused.record, asked.event_id),
        occurred_at=as_of,
        request_id=asked.event_id,
        subject=asked.subject,
        kind=asked.kind,
        detail=detail,
    )
