"""Trials measured on real Kafka: sessions are told of, and told of again after a restart."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import read_partition
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.deployments.trial.summary import TrialSummary
from modeltrail.processors.trials.run import run_trials
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, SessionsMeasured
from modeltrail.schemas.ids import EventId, Micros, NodeId
from modeltrail.schemas.topics import DEPLOYMENTS, INFERENCE, TRIALS, Topic, key_of
from tests.unit.processors.trials.inference_log import STARTED, TRIAL, frames
from tests.unit.processors.trials.test_open_trials import COMPLETED
from tests.waiting import eventually

SESSIONS = 40


class Log:
    """The topics of one test."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._codec = Codec(ConfluentSchemaIds(settings.schema_registry))
        self._producer = AcknowledgedProducer(settings.kafka)

    def append(self, topic: Topic, facts: list[Fact], *key: str) -> None:
        name = topic.full_name(self._settings.kafka.topic_prefix)
        records = [(key_of(*key), self._codec.encode(fact)) for fact in facts]
        self._producer.append(name, records)

    def told(self) -> list[SessionsMeasured]:
        """What was published so far."""
        kafka = self._settings.kafka
        name = TRIALS.full_name(kafka.topic_prefix)
        values = [
            value
            for partition in range(kafka.partitions)
            for value in read_partition(kafka, name, partition)
        ]
        facts = [self._codec.decode(value) for value in values if value]
        return [fact for fact in facts if isinstance(fact, SessionsMeasured)]

    def measure(self, first: int, count: int) -> None:
        """Append sessions of both arms, from two nodes."""
        for number in range(first, first + count):
            node = NodeId(f"gate-{number % 2}")
            arm = "candidate" if number % 3 else "champion"
            session = frames(f"s{number}", 4, arm, node_id=node)
            self.append(INFERENCE, session, TRIAL.model_id, node)


@contextmanager
def running_trials(settings: Settings) -> Iterator[None]:
    stop, ready = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_trials, settings, stop, ready.set)
        try:
            assert ready.wait(300)
            yield
        finally:
            stop.set()
        running.result(timeout=300)


def summed_up(facts: list[SessionsMeasured]) -> TrialSummary:
    summary = TrialSummary()
    for fact in facts:
        summary = summary.absorb(fact)
    return summary


def counted(facts: list[SessionsMeasured]) -> list[str]:
    return [value.session_id for fact in facts for value in fact.sessions]


def sessions(summary: TrialSummary) -> int:
    return len(summary.champion) + len(summary.candidate)


def test_sessions_of_an_open_trial_are_told_and_again_after_a_restart(
    fresh_settings: Settings,
) -> None:
    log = Log(fresh_settings)
    model = TRIAL.model_id
    older = replace(STARTED, deployment_id=EventId(b"one-that-is-over"), occurred_at=Micros(0))
    ended = replace(COMPLETED, deployment_id=older.deployment_id)
    log.measure(1000, 3)
    log.append(DEPLOYMENTS, [older, ended], model)

    with running_trials(fresh_settings):
        log.append(DEPLOYMENTS, [STARTED], model)
        log.measure(0, SESSIONS)
        eventually(lambda: sessions(summed_up(log.told())) == SESSIONS)
    before = log.told()
    with running_trials(fresh_settings):
        log.measure(SESSIONS, 1)
        everything = {f"s{number}" for number in range(SESSIONS + 1)}
        eventually(lambda: set(counted(log.told()[len(before) :])) == everything)
    after = log.told()[len(before) :]

    assert {fact.deployment_id for fact in log.told()} == {STARTED.deployment_id}
    assert sorted(counted(before)) == sorted(f"s{number}" for number in range(SESSIONS))
    again = [value for fact in log.told() for value in fact.sessions]
    assert len(again) == 2 * SESSIONS + 1
    assert len(set(again)) == SESSIONS + 1
    assert after
    assert summed_up(log.told()) == summed_up([*after, *before])

    log.append(DEPLOYMENTS, [COMPLETED], model)
    told = len(log.told())
    with running_trials(fresh_settings):
        log.measure(500, 1)
    assert len(log.told()) == told
