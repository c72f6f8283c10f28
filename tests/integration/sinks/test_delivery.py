"""Alerts reach receivers that fail, hang, refuse and come back, whatever becomes of the worker."""

import base64
import hashlib
import hmac
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import read_partition
from modeltrail.schemas.events import (
    AlertPending,
    AlertRaised,
    AlertResolved,
    AlertState,
    AlertUpdated,
    DeadLetter,
    DeadLetterReason,
    Fact,
)
from modeltrail.schemas.ids import Micros, ModelId
from modeltrail.schemas.topics import ALERTS, DEAD_LETTERS, key_of
from tests.alert_facts import acknowledged, silenced, step
from tests.integration.conftest import worker_environment
from tests.integration.sinks.log import Log
from tests.integration.sinks.receiver import (
    CUT,
    FAIL,
    HANG,
    TAKE,
    TAKE_AND_CUT,
    Answer,
    Receiver,
    Request,
)
from tests.waiting import eventually

SECRET = "whsec_" + base64.b64encode(b"a key of this test").decode()
SETTINGS = {
    "MODELTRAIL_ALERTING_MAX_BACKOFF_S": "0.3",
    "MODELTRAIL_ALERTING_WEBHOOK_SECRET": SECRET,
}
# For a receiver that hangs on purpose: to another one a slow answer would bring the alert again.
IMPATIENT = {"MODELTRAIL_ALERTING_TIMEOUT_S": "0.5"}
MODELS = [ModelId(f"model-{number}") for number in range(8)]


@pytest.fixture
def log(fresh_settings: Settings) -> Log:
    return Log(fresh_settings)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


def append(log: Log, *facts: Fact) -> None:
    for fact in facts:
        log.append(ALERTS, [fact], key=key_of(fact.model_id))  # type: ignore[attr-defined]


def start(settings: Settings, *receivers: Receiver, **more: str) -> "subprocess.Popen[str]":
    """A delivery worker, ready: the first receiver is a webhook, the second an Alertmanager."""
    names = ("MODELTRAIL_ALERTING_WEBHOOK_URL", "MODELTRAIL_ALERTING_ALERTMANAGER_URL")
    addresses = dict(zip(names, (f"{each.url}/s3cret-path" for each in receivers), strict=False))
    process = subprocess.Popen(
        [sys.executable, "-m", "modeltrail.infra.cli", "worker", "delivery"],
        env={**worker_environment(settings), **SETTINGS, **addresses, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def end(process: "subprocess.Popen[str]") -> str:
    """Terminate it in order; what it logged."""
    process.terminate()
    _out, logged = process.communicate(timeout=60)
    assert process.returncode == 0, logged
    assert "s3cret-path" not in logged
    assert SECRET not in logged
    return logged


@contextmanager
def delivering(
    settings: Settings, *receivers: Receiver, **more: str
) -> Iterator["subprocess.Popen[str]"]:
    process = start(settings, *receivers, **more)
    try:
        yield process
    finally:
        end(process)


def ids(requests: Sequence[Request]) -> list[str]:
    return [request.headers["webhook-id"] for request in requests]


def event_ids(alerts: Sequence[AlertState]) -> set[str]:
    return {alert.event_id.hex() for alert in alerts}


def lives(count: int) -> list[AlertState]:
    """Alerts of several models that are raised, go on and are resolved, in the order of the log."""
    alerts: list[AlertState] = []
    for number in range(count):
        name, model = f"alert-{number}", MODELS[number % len(MODELS)]
        kinds = (AlertRaised, AlertUpdated, AlertResolved)
        alerts += [step(kind, name, model_id=model) for kind in kinds]
    return alerts


def assert_all_came_in_order(receiver: Receiver, alerts: Sequence[AlertState]) -> None:
    """Every step once, repeats aside; those of a model in the order of the log; all signed."""
    first_seen = list(dict.fromkeys(ids(receiver.taken)))
    assert set(first_seen) == event_ids(alerts)
    place = {event_id: index for index, event_id in enumerate(first_seen)}
    for model in MODELS:
        mine = [place[alert.event_id.hex()] for alert in alerts if alert.model_id == model]
        assert mine == sorted(mine)
    bodies: dict[str, bytes] = {}
    for request in receiver.taken:
        headers = request.headers
        assert bodies.setdefault(headers["webhook-id"], request.body) == request.body
        assert headers["idempotency-key"] == headers["webhook-id"] == request.json()["event_id"]
        assert headers["webhook-signature"] == signature(request)


def signature(request: Request) -> str:
    """What the receiver computes by itself."""
    signed = (
        f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
        + request.body
    )
    digest = hmac.new(b"a key of this test", signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def test_nothing_is_lost_while_the_receiver_fails_in_every_way_and_the_worker_is_killed(
    log: Log, receiver: Receiver
) -> None:
    kill_round(log, receiver, seed=1)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(2, 22))
def test_nothing_is_lost_in_many_more_rounds(log: Log, receiver: Receiver, seed: int) -> None:
    kill_round(log, receiver, seed)


def kill_round(log: Log, receiver: Receiver, seed: int) -> None:
    chance = random.Random(seed)
    failures = [FAIL, CUT, HANG, TAKE_AND_CUT, Answer(503, {"retry-after": "1"}, taken=False)]
    weights = [3, 3, 1, 3, 1]
    alerts = lives(40)
    worker = start(log.settings, receiver, **IMPATIENT)

    def moody(_: Request) -> Answer:
        return TAKE if chance.random() < 0.7 else chance.choices(failures, weights)[0]

    receiver.script = moody
    for part in range(4):
        # Before the append: what is delivered while it goes on counts too.
        enough = len(receiver.taken) + chance.randrange(3, 20)
        append(log, *alerts[part * 30 : (part + 1) * 30])
        eventually(lambda enough=enough: len(receiver.taken) >= enough)  # type: ignore[misc]
        if part % 2 == 0:
            os.kill(worker.pid, signal.SIGKILL)
            worker.communicate(timeout=60)
            worker = start(log.settings, receiver, **IMPATIENT)
        else:
            receiver.stop()
            receiver.start()
    receiver.script = lambda _: TAKE

    eventually(lambda: event_ids(alerts) <= set(ids(receiver.taken)))
    end(worker)
    assert_all_came_in_order(receiver, alerts)


def test_what_was_taken_is_not_sent_again_after_an_orderly_stop(
    log: Log, receiver: Receiver
) -> None:
    alerts = lives(5)
    with delivering(log.settings, receiver):
        append(log, *alerts)
        eventually(lambda: len(receiver.taken) == len(alerts))
    later = step(AlertRaised, "later")
    with delivering(log.settings, receiver):
        append(log, later)
        eventually(lambda: later.event_id.hex() in ids(receiver.taken))

    assert len(receiver.taken) == len(alerts) + 1


def test_alerts_wait_while_nobody_listens_and_come_when_somebody_does(
    log: Log, receiver: Receiver
) -> None:
    alerts = lives(4)
    receiver.stop()
    worker = start(log.settings, receiver)
    append(log, *alerts)
    assert worker.stderr is not None
    # Kafka's warnings may come before it.
    assert any("did not take alert" in line for line in worker.stderr)
    receiver.start()

    eventually(lambda: len(set(ids(receiver.taken))) == len(alerts))
    end(worker)
    assert_all_came_in_order(receiver, alerts)


def test_an_alert_that_is_refused_becomes_a_dead_letter_and_holds_up_no_other(
    log: Log, receiver: Receiver
) -> None:
    bad, good = step(AlertRaised, "bad", rule="BAD"), step(AlertRaised, "good")
    refusal = Answer(422, taken=False, body=b"no BAD at /s3cret-path")
    receiver.script = lambda request: refusal if request.json()["rule"] == "BAD" else TAKE
    with delivering(log.settings, receiver):
        append(log, bad, good)
        eventually(lambda: ids(receiver.taken) == [good.event_id.hex()])

    (letter,) = dead_letters(log)
    assert letter.consumer == "delivery.webhook"
    assert letter.reason is DeadLetterReason.NOT_DELIVERED
    assert letter.detail.endswith("status 422: no BAD at ***")
    assert letter.value is not None
    assert log.codec.decode(letter.value) == bad


def dead_letters(log: Log) -> list[DeadLetter]:
    settings = log.settings.kafka
    topic = DEAD_LETTERS.full_name(settings.topic_prefix)
    facts = [
        log.codec.decode(value or b"")
        for partition in range(settings.partitions)
        for value in read_partition(settings, topic, partition)
    ]
    return [fact for fact in facts if isinstance(fact, DeadLetter)]


def test_a_destination_that_is_away_does_not_hold_up_the_other(
    log: Log, receiver: Receiver
) -> None:
    alertmanager = Receiver()
    receiver.stop()
    with delivering(log.settings, receiver, alertmanager):
        append(log, step(AlertRaised), step(AlertResolved))
        eventually(lambda: len(alertmanager.taken) == 2)
    alertmanager.stop()

    assert {request.path for request in alertmanager.taken} == {"/s3cret-path/api/v2/alerts"}
    labels = [request.json()[0]["labels"]["alertname"] for request in alertmanager.taken]
    assert labels == ["HIGH_LATENCY"] * 2


def test_alertmanager_is_reminded_of_open_alerts_until_they_are_over_or_seen_to(
    log: Log, receiver: Receiver
) -> None:
    nobody = Receiver()
    end_of_over = step(AlertResolved, "over", model_id=ModelId("over"))
    ended_at = datetime.fromtimestamp(end_of_over.occurred_at / 1_000_000, UTC)

    def told_of(name: str) -> list[Any]:
        told = [alert for request in receiver.taken for alert in request.json()]
        return [alert for alert in told if alert["labels"]["model_id"] == name]

    def is_over(alert: Any) -> bool:
        return datetime.fromisoformat(alert["endsAt"]) == ended_at

    def is_seen_to(alert: Any) -> bool:
        return bool(alert["annotations"].get("acknowledged_by") == "ops")

    with delivering(log.settings, nobody, receiver, MODELTRAIL_ALERTING_RESEND_S="0.2"):
        append(
            log,
            step(AlertRaised, "open", model_id=ModelId("open")),
            step(AlertRaised, "a", model_id=ModelId("centerface")),
            acknowledged("a"),
            step(AlertRaised, "over", model_id=ModelId("over")),
            end_of_over,
        )
        eventually(lambda: any(map(is_over, told_of("over"))))
        eventually(lambda: any(map(is_seen_to, told_of("centerface"))))
        before = {name: len(told_of(name)) for name in ("open", "over", "centerface")}
        eventually(lambda: len(told_of("open")) >= before["open"] + 5)
        assert len(told_of("over")) == before["over"]
        assert len(told_of("centerface")) == before["centerface"]
    nobody.stop()


def test_a_redirect_is_not_followed(log: Log, receiver: Receiver) -> None:
    elsewhere = Receiver()
    receiver.script = lambda _: Answer(307, {"location": f"{elsewhere.url}/"}, taken=False)
    with delivering(log.settings, receiver):
        append(log, step(AlertRaised))
        eventually(lambda: receiver.attempts >= 2)
        receiver.script = lambda _: TAKE
        eventually(lambda: len(receiver.taken) == 1)
    elsewhere.stop()

    assert elsewhere.attempts == 0


def test_silences_are_known_from_the_beginning_of_the_log_after_a_restart(
    log: Log, receiver: Receiver
) -> None:
    year = 365 * 24 * 60 * 60.0
    quiet = silenced(0, 100 * year, rule="QUIET")
    last = step(AlertRaised, "last")
    with delivering(log.settings, receiver):
        append(log, quiet)
        append(log, step(AlertRaised, "first"))
        eventually(lambda: len(receiver.taken) == 1)
    with delivering(log.settings, receiver):
        append(log, step(AlertPending, "p"), step(AlertRaised, "q", rule="QUIET"), last)
        eventually(lambda: last.event_id.hex() in ids(receiver.taken))

    assert len(receiver.taken) == 2


def test_a_new_destination_hears_of_open_alerts_only_and_loses_none_of_them_to_a_kill(
    log: Log, receiver: Receiver
) -> None:
    opened = step(AlertRaised, "open", occurred_at=Micros(1))
    append(log, step(AlertRaised, "over"), step(AlertResolved, "over"), opened)
    receiver.script = lambda _: FAIL
    worker = start(log.settings, receiver)
    eventually(lambda: receiver.attempts)
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate(timeout=60)
    end_of_open = step(AlertResolved, "open")
    append(log, end_of_open)
    receiver.script = lambda _: TAKE
    with delivering(log.settings, receiver):
        eventually(lambda: len(receiver.taken) >= 2)

    assert ids(receiver.taken) == [opened.event_id.hex(), end_of_open.event_id.hex()]


def test_two_workers_share_the_partitions_of_a_destination(log: Log, receiver: Receiver) -> None:
    alerts = lives(16)
    with delivering(log.settings, receiver), delivering(log.settings, receiver):
        append(log, *alerts)
        eventually(lambda: event_ids(alerts) <= set(ids(receiver.taken)))

    assert_all_came_in_order(receiver, alerts)
