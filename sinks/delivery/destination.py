"""Says what the destinations are: how each is told steps of alerts, and which it wants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from modeltrail.infra.clock import Clock
from modeltrail.infra.config import AlertingSettings
from modeltrail.infra.errors import ConfigError
from modeltrail.sinks.delivery.alertmanager import PATH, alertmanager_body
from modeltrail.sinks.delivery.fold import Policy, Step
from modeltrail.sinks.delivery.post import HttpPost, Post
from modeltrail.sinks.delivery.signature import signed_headers, signing_key
from modeltrail.sinks.delivery.templates import json_body, slack_body
from modeltrail.sinks.delivery.verdict import Verdict

_TEMPLATES = {"json": json_body, "slack": slack_body}


@dataclass(frozen=True, slots=True)
class Reminder:
    """Every `every_s` seconds `tell` is given the newest steps of open alerts again, once."""

    every_s: float
    tell: Callable[[Sequence[Step]], Verdict]


class Destination(Protocol):
    """A receiver of alerts; its `name` is part of its consumer group's."""

    name: str
    policy: Policy

    @property
    def reminder(self) -> Reminder | None:
        """How it is reminded of open alerts; None: it keeps what it was told."""
        ...

    def tell(self, step: Step) -> Verdict:
        """Tell one step; once."""
        ...


class Webhook:
    """An address that gets one request a step; its delivery id is the step's event id in hex."""

    name = "webhook"
    reminder: Reminder | None = None

    def __init__(self, settings: AlertingSettings, post: Post, clock: Clock) -> None:
        """Prepare.

        Raises:
            ConfigError: the format or the secret is wrong.
        """
        if settings.webhook_format not in _TEMPLATES:
            raise ConfigError(
                f"alerting.webhook_format is {settings.webhook_format!r}: "
                f"give one of {', '.join(_TEMPLATES)}"
            )
        self.policy = Policy(settings.deliver_pending, settings.deliver_updates)
        self._write = _TEMPLATES[settings.webhook_format]
        self._key = signing_key(settings.webhook_secret.reveal())
        self._post = post
        self._clock = clock

    def tell(self, step: Step) -> Verdict:
        """Tell one step, signed anew at each attempt."""
        body = self._write(step.alert)
        now_s = self._clock.now_us() // 1_000_000
        return self._post(signed_headers(self._key, step.alert.event_id.hex(), now_s, body), body)


class Alertmanager:
    """Alertmanager's v2 API; it hears of open alerts again and again, and knows none pending."""

    name = "alertmanager"
    policy = Policy(pending=False, updates=True, acknowledgements=True)

    def __init__(self, settings: AlertingSettings, post: Post, clock: Clock) -> None:
        """Prepare."""
        self._resend_s = settings.resend_s
        self._post = post
        self._clock = clock

    @property
    def reminder(self) -> Reminder | None:
        """Everything that is open, in one request."""
        return Reminder(self._resend_s, self._tell_all)

    def tell(self, step: Step) -> Verdict:
        """Tell one step."""
        return self._tell_all([step])

    def _tell_all(self, steps: Sequence[Step]) -> Verdict:
        return self._post({}, alertmanager_body(steps, self._clock.now_us(), self._resend_s))


def open_destinations(settings: AlertingSettings, clock: Clock) -> tuple[Destination, ...]:
    """The destinations that are set.

    Raises:
        ConfigError: none is, or one is set wrongly.
    """
    for name in ("timeout_s", "max_backoff_s", "resend_s"):
        if not getattr(settings, name) > 0:
            raise ConfigError(f"alerting.{name} is {getattr(settings, name)}: give more than 0")
    found: list[Destination] = []
    if url := settings.webhook_url.reveal():
        post = HttpPost("alerting.webhook_url", url, settings.timeout_s)
        found.append(Webhook(settings, post, clock))
    if url := settings.alertmanager_url.reveal():
        address = url.rstrip("/") + PATH
        post = HttpPost("alerting.alertmanager_url", address, settings.timeout_s)
        found.append(Alertmanager(settings, post, clock))
    if not found:
        raise ConfigError(
            "no alert is delivered anywhere: set MODELTRAIL_ALERTING_WEBHOOK_URL or "
            "MODELTRAIL_ALERTING_ALERTMANAGER_URL"
        )
    return tuple(found)
