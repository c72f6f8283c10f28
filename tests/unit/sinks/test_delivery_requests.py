"""What receivers are sent: JSON, Slack messages, Alertmanager alerts, verifiable signatures."""

import base64
import hashlib
import hmac
import json
import math
from dataclasses import fields

import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.config import AlertingSettings
from modeltrail.infra.errors import ConfigError
from modeltrail.infra.secret import Secret
from modeltrail.schemas.events import AlertRaised, AlertResolved, AlertState
from modeltrail.sinks.delivery.alertmanager import alertmanager_body
from modeltrail.sinks.delivery.destination import open_destinations
from modeltrail.sinks.delivery.fold import Step
from modeltrail.sinks.delivery.letters import letter_of
from modeltrail.sinks.delivery.signature import signed_headers, signing_key
from modeltrail.sinks.delivery.templates import json_body, slack_body
from modeltrail.sinks.delivery.verdict import Refused, Taken, TryLater, verdict_of
from tests.alert_facts import START_MS, alert_id, step

NOW_US = START_MS * 1000 + 5_000_000


def placed(alert: AlertState, acknowledged_by: str = "") -> Step:
    return Step(0, 7, START_MS, alert, acknowledged_by)


def test_the_json_body_says_everything_that_the_step_does() -> None:
    alert = step(AlertResolved, value=math.nan)

    body = json.loads(json_body(alert))

    assert set(body) == {"type", *(field.name for field in fields(alert))}
    assert body["type"] == "AlertResolved"
    assert body["alert_id"] == alert_id("a").hex()
    assert body["occurred_at"] == "2023-11-14T22:13:20.000000Z"
    assert body["value"] is None
    assert (body["severity"], body["reason"]) == ("CRITICAL", "RECOVERED")


def test_the_slack_body_has_text_and_blocks_and_mentions_nobody() -> None:
    body = json.loads(slack_body(step(AlertRaised, summary="<!channel> & co")))

    assert set(body) == {"text", "blocks"}
    assert "CRITICAL HIGH_LATENCY raised: centerface v1.0.0" in body["text"]
    assert "&lt;!channel&gt; &amp; co" in body["text"]
    section, context = body["blocks"]
    assert "<" not in section["text"]["text"]
    assert "latency_ms P95 71.25 (limit 50) over 1m, 480 samples" in section["text"]["text"]
    assert alert_id("a").hex() in context["elements"][0]["text"]


def test_a_slack_text_is_never_longer_than_slack_takes() -> None:
    body = json.loads(slack_body(step(AlertRaised, summary="x" * 10_000)))

    assert len(body["text"]) <= 3000
    assert len(body["blocks"][0]["text"]["text"]) <= 3000


def test_alertmanager_gets_labels_that_identify_and_an_end_that_lies_ahead() -> None:
    (alert,) = json.loads(alertmanager_body([placed(step(AlertRaised, arm=""))], NOW_US, 60.0))

    assert alert["labels"] == {
        "alertname": "HIGH_LATENCY",
        "severity": "critical",
        "model_id": "centerface",
        "version": "v1.0.0",
        "environment": "production",
        "metric": "latency_ms",
        "subject": "v1.0.0/production/champion",
        "alert_id": alert_id("a").hex(),
    }
    assert alert["annotations"] == {
        "summary": "latency_ms P95 was 71.25 over 1m",
        "value": "71.25",
        "threshold": "50",
    }
    assert alert["startsAt"] == "2023-11-14T22:12:20.000000Z"
    assert alert["endsAt"] == "2023-11-14T22:17:25.000000Z"


def test_alertmanager_is_told_when_a_resolved_alert_ended() -> None:
    (alert,) = json.loads(alertmanager_body([placed(step(AlertResolved))], NOW_US, 60.0))

    assert alert["endsAt"] == "2023-11-14T22:13:20.000000Z"


def test_alertmanager_keeps_an_acknowledged_alert_that_it_is_not_reminded_of() -> None:
    (alert,) = json.loads(alertmanager_body([placed(step(AlertRaised), "mina")], NOW_US, 60.0))

    assert alert["endsAt"].startswith("2024-11-13")
    assert alert["annotations"]["acknowledged_by"] == "mina"


def test_a_signature_is_over_id_time_and_body() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()

    headers = signed_headers(signing_key(secret), "0a1b", 1_700_000_000, b'{"a":1}')

    digest = hmac.new(b"k" * 24, b'0a1b.1700000000.{"a":1}', hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "0a1b",
        "webhook-timestamp": "1700000000",
        "idempotency-key": "0a1b",
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def test_the_signature_of_the_specification_is_reproduced() -> None:
    """Source: the test vector of the reference libraries of Standard Webhooks."""
    headers = signed_headers(
        signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_a_secret_a_delivery_is_identified_but_not_signed() -> None:
    headers = signed_headers(signing_key(""), "0a1b", 1, b"")

    assert set(headers) == {"webhook-id", "webhook-timestamp", "idempotency-key"}


def test_a_secret_that_is_not_base64_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigError, match="webhook_secret") as caught:
        signing_key("whsec_not base64!")

    assert "not base64!" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_status_of_success_means_taken(status: int) -> None:
    assert verdict_of(status) == Taken()


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 408, 425, 429, 500, 502, 503, 504])
def test_a_status_about_the_receiver_means_later(status: int) -> None:
    assert isinstance(verdict_of(status), TryLater)


@pytest.mark.parametrize("status", [400, 405, 409, 410, 413, 415, 422])
def test_a_status_about_the_request_means_never(status: int) -> None:
    assert verdict_of(status, said="no such field") == Refused(f"status {status}: no such field")


@pytest.mark.parametrize(
    ("header", "seconds"), [("17", 17.0), ("", None), ("-1", None), ("Wed, 21 Oct 2026", None)]
)
def test_a_receiver_that_says_how_long_to_wait_is_heeded(
    header: str, seconds: float | None
) -> None:
    assert verdict_of(429, header) == TryLater("status 429", seconds)


def test_a_refused_step_becomes_the_same_dead_letter_each_time() -> None:
    of = placed(step(AlertRaised))
    topic_id = alert_id("topic")

    letter = letter_of(of, "webhook", "status 400", "modeltrail.alerts", topic_id, b"value")

    assert letter == letter_of(of, "webhook", "status 400", "modeltrail.alerts", topic_id, b"value")
    assert letter.consumer == "delivery.webhook"
    assert "status 400" in letter.detail
    assert (letter.partition, letter.offset, letter.value) == (0, 7, b"value")
    other = letter_of(of, "alertmanager", "status 400", "modeltrail.alerts", topic_id, b"value")
    assert other.event_id != letter.event_id


@pytest.mark.parametrize(
    "settings",
    [
        AlertingSettings(),
        AlertingSettings(webhook_url=Secret("ftp://alerts.example/t0p")),
        AlertingSettings(webhook_url=Secret("alerts.example/t0p")),
        AlertingSettings(webhook_url=Secret("https://[t0p")),
        AlertingSettings(webhook_url=Secret("https://alerts.example/t0p"), webhook_format="xml"),
        AlertingSettings(alertmanager_url=Secret("https://")),
        AlertingSettings(webhook_url=Secret("https://alerts.example/t0p"), timeout_s=0.0),
        AlertingSettings(webhook_url=Secret("https://alerts.example/t0p\x00")),
    ],
)
def test_destinations_that_cannot_be_are_refused_at_once_without_showing_them(
    settings: AlertingSettings,
) -> None:
    with pytest.raises(ConfigError) as caught:
        open_destinations(settings, ManualClock())

    assert "t0p" not in str(caught.value)
