"""The processors end when they are told to, and when Faust has failed, whatever it thinks of it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from mode import Service

from modeltrail.infra.config import KafkaSettings
from modeltrail.infra.errors import ConfigError
from modeltrail.infra.secret import Secret
from modeltrail.processors import serving as module
from modeltrail.processors.connections import brokers, credentials


class Exited(BaseException):
    """The process would have ended here, with this exit status."""


def serve(
    app: Service, then: Callable[[], Awaitable[None] | None], longest_stop_s: float = 10.0
) -> None:
    async def work() -> None:
        serving = asyncio.create_task(module.serve(app, longest_stop_s))
        await app._started.wait()
        if (pending := then()) is not None:
            await pending
        await serving

    asyncio.run(asyncio.wait_for(work(), 20))


def test_a_signal_stops_the_app() -> None:
    app = Service()
    serve(app, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert app.should_stop


class WithoutBroker(Service):
    """A service that cannot hand over what it holds, and goes on when it is cancelled."""

    is_left = False

    async def on_stop(self) -> None:
        while not self.is_left:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()


def test_an_app_that_does_not_stop_is_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = WithoutBroker()

    def leave(status: int) -> None:
        app.is_left = True
        raise Exited(status)

    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(Exited, match="70"):
        serve(app, lambda: os.kill(os.getpid(), signal.SIGTERM), 0.1)
    assert "did not stop within 0.1 s" in caplog.text


def test_a_part_of_faust_that_failed_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def leave(status: int) -> None:
        raise Exited(status)

    monkeypatch.setattr(os, "_exit", leave)
    app = Service()
    with pytest.raises(Exited, match="70"):
        serve(app, lambda: app.crash(ConnectionError("the broker is gone")))
    assert "the processors stop" in caplog.text


def test_every_broker_is_known_to_faust() -> None:
    assert brokers(KafkaSettings(bootstrap_servers="a:1, b:2")) == ["kafka://a:1", "kafka://b:2"]
    with pytest.raises(ConfigError, match="modeltrail up"):
        brokers(KafkaSettings())


def test_faust_logs_in_as_it_is_told_to() -> None:
    assert credentials(KafkaSettings()) is None
    found = credentials(
        KafkaSettings(
            security_protocol="SASL_SSL",
            sasl_mechanism="PLAIN",
            sasl_username="user",
            sasl_password=Secret("word"),
        )
    )
    assert found is not None
    assert (found.username, found.password) == ("user", "word")  # type: ignore[attr-defined]
    assert str(found.protocol.value) == "SASL_SSL"
