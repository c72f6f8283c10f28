"""Asks for a document whenever something happened that one should tell of.

A request is a fact of its own: what calls for a document is decided here, by whom it is made is
another matter. Its id is derived from the fact that called for it, so that it counts once.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from functools import partial
from types import MappingProxyType
from typing import Any

from confluent_kafka import KafkaException, Message

from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.kafka import make_consumer
from modeltrail.processors.patience import Stopped, until_stopped
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRolledBack,
    DeploymentSucceeded,
    DocumentKind,
    DocumentRequested,
    EthicsAssessed,
    Fact,
    ModelRegistered,
    RunEnded,
)
from modeltrail.schemas.ids import derived_event_id
from modeltrail.schemas.topics import (
    DEPLOYMENTS,
    DOCUMENTS,
    ETHICS,
    EXPERIMENTS,
    REGISTRY,
    key_of,
)
from modeltrail.schemas.wire import schema_id_of

log = logging.getLogger(__name__)

WATCHED = (REGISTRY, ETHICS, DEPLOYMENTS, EXPERIMENTS)
AUTOMATIC = "automatic"
_OF_A_VERSION = (
    ModelRegistered,
    EthicsAssessed,
    DeploymentSucceeded,
    DeploymentFailed,
    DeploymentCancelled,
    DeploymentRolledBack,
)
_CALLING: Mapping[str, type[Fact]] = MappingProxyType(
    {kind.record: kind for kind in (*_OF_A_VERSION, RunEnded)}
)
_TRIGGERS = frozenset(f"{AUTOMATIC} {kind.__name__}" for kind in _CALLING.values())
_BATCH = 10_000
_POLL_S = 0.5


def request_for(fact: Fact) -> DocumentRequested | None:
    """The request that a fact calls for: a card of its version, or a report of its experiment."""
    subject: str
    if isinstance(fact, _OF_A_VERSION):
        subject, kind, version = fact.model_id, DocumentKind.MODEL_CARD, fact.version
    elif isinstance(fact, RunEnded):
        subject, kind, version = fact.run_id, DocumentKind.EXPERIMENT_REPORT, None
    else:
        return None
    return DocumentRequested(
        event_id=derived_event_id(DocumentRequested.record, fact.event_id),
        occurred_at=fact.occurred_at,
        subject=subject,
        kind=kind,
        version=version,
        as_of=None,
        requested_by=f"{AUTOMATIC} {type(fact).__name__}",
    )


def is_automatic(request: DocumentRequested) -> bool:
    """Whether an event called for the document, and nobody who waits for it."""
    return request.as_of is None and request.requested_by in _TRIGGERS


def run_automation(settings: KafkaSettings, codec: Codec, stop: threading.Event) -> None:
    """Append the requests that facts call for until `stop` is set.

    Raises:
        ConfigError: no Kafka is configured.
    """
    producer = AcknowledgedProducer(settings)
    patiently = partial(until_stopped, stop)
    documents = DOCUMENTS.full_name(settings.topic_prefix)
    group = f"{settings.topic_prefix}documents-automation"
    with suppress(Stopped), closing(make_consumer(settings, group)) as consumer:
        consumer.subscribe([topic.full_name(settings.topic_prefix) for topic in WATCHED])
        while not stop.is_set():
            messages = consumer.consume(_BATCH, timeout=_POLL_S)
            if not messages:
                continue
            records = [
                (key_of(request.subject), patiently(partial(codec.encode, request)))
                for request in _requests(messages, codec, patiently)
            ]
            patiently(partial(producer.append, documents, records))
            _commit(consumer)


def _requests(
    messages: list[Message], codec: Codec, patiently: Callable[[Callable[[], Any]], Any]
) -> Iterator[DocumentRequested]:
    for message in messages:
        value = message.value()
        if message.error() is not None or value is None:
            continue
        try:
            # Most facts are metrics of runs: they are told apart without being decoded.
            writer = patiently(partial(codec.writer_of, schema_id_of(value)))
            if writer.record in _CALLING:
                request = request_for(patiently(partial(codec.decode, value)))
                if request is not None:
                    yield request
        except DecodeError:
            # The projector reads these topics too and files the dead letter.
            continue


def _commit(consumer: Any) -> None:
    try:
        consumer.commit(asynchronous=False)
    except KafkaException as error:
        # They come again, under the same ids.
        log.info("offsets not committed: %s", error)
