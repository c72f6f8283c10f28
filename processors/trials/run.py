"""Runs the measuring of trials until it is told to stop: follows deployments, reads, publishes."""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from functools import partial

from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import KafkaSettings, Settings
from modeltrail.infra.log_reader import LatestOffsets
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.patience import Stopped, until_stopped
from modeltrail.processors.publishing import key_in
from modeltrail.processors.trials.cursor import Record, TopicCursor
from modeltrail.processors.trials.measuring import FETCH, NEWS_S, TrialsMeasuring, World
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import SessionsMeasured
from modeltrail.schemas.topics import DEPLOYMENTS, INFERENCE, TRIALS

_CATCH_UP_S = 0.1


def run_trials(
    settings: Settings, stop: threading.Event, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Measure the sessions of every open trial until `stop` is set.

    Args:
        settings: where Kafka and the schema registry are.
        stop: ends the run, within two seconds.
        on_ready: called once, when all that was known of deployments has been read.

    Raises:
        ConfigError: a server is not configured.
    """
    with suppress(Stopped):
        _follow(settings, stop, on_ready)


def _follow(settings: Settings, stop: threading.Event, on_ready: Callable[[], None]) -> None:
    kafka = settings.kafka
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    patiently = partial(until_stopped, stop)
    publishing = _Publishing(kafka, codec)
    world = World(
        open_measurements=lambda since_ms: patiently(
            lambda: TopicCursor(kafka, INFERENCE, since_ms)
        ),
        decode=lambda values: patiently(lambda: decode_batch(values, codec)),
        publish=lambda facts: patiently(lambda: publishing.publish(facts)),
        clock=SystemClock(),
    )
    ends = patiently(lambda: LatestOffsets(kafka, (DEPLOYMENTS,)).read())
    behind = {partition: end for (_, partition), end in ends.items() if end}
    with (
        closing(patiently(lambda: TopicCursor(kafka, DEPLOYMENTS))) as deployments,
        closing(TrialsMeasuring(world)) as measuring,
    ):
        ready = False
        while not stop.is_set():
            if behind:
                # First to the end: trials that have long ended are not to be begun.
                fetched = deployments.fetch(FETCH, _CATCH_UP_S)
            elif measuring.idle():
                fetched = deployments.fetch(1, NEWS_S)
            else:
                fetched = deployments.fetch(FETCH, 0.0)
            for number, records in fetched.items():
                measuring.absorb(patiently(partial(_facts, codec, number, records)))
                if records[-1].offset + 1 >= behind.get(number, 0):
                    behind.pop(number, None)
            if behind:
                continue
            if not ready:
                ready = True
                on_ready()
            measuring.turn(NEWS_S)


def _facts(codec: Codec, partition: int, records: Iterable[Record]) -> list[Appended]:
    facts = []
    for record in records:
        # The projector reads this topic too and files the dead letter.
        with suppress(DecodeError):
            fact = codec.decode(record.value or b"")
            facts.append(Appended(partition, record.offset, record.appended_ms, fact))
    return facts


class _Publishing:
    """Appends facts to `trials` and waits until every replica has them."""

    def __init__(self, settings: KafkaSettings, codec: Codec) -> None:
        self._codec = codec
        self._topic = TRIALS.full_name(settings.topic_prefix)
        self._producer = AcknowledgedProducer(settings)

    def publish(self, facts: Sequence[SessionsMeasured]) -> None:
        self._producer.append(
            self._topic, ((key_in(TRIALS, fact), self._codec.encode(fact)) for fact in facts)
        )
