"""A server that is away is waited for; a mistake is not."""

import threading

import pytest
from clickhouse_driver import errors as clickhouse

from modeltrail.infra.errors import Unavailable
from modeltrail.schemas.errors import SchemaRegistryUnavailable
from modeltrail.sinks.errors import TooManyDeadLetters
from modeltrail.sinks.projector.patience import Stopped, persist


class HurriedEvent(threading.Event):
    """An event that counts the waits instead of waiting."""

    waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        return self.is_set()


@pytest.mark.parametrize(
    "error",
    [
        SchemaRegistryUnavailable("away"),
        Unavailable("away"),
        clickhouse.NetworkError("refused"),
        clickhouse.SocketTimeoutError("slow"),
        EOFError("closed"),
        clickhouse.ServerException("too many parts", clickhouse.ErrorCodes.TOO_MANY_PARTS),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_will_pass_is_tried_again_and_said(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes: list[Exception | str] = [error, error, "done"]

    def action() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    stop = HurriedEvent()
    assert persist(action, stop, "inserting") == "done"
    assert stop.waits == 2
    assert "inserting failed, trying again" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        TooManyDeadLetters("most of it"),
        clickhouse.ServerException("no such table", clickhouse.ErrorCodes.UNKNOWN_TABLE),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_will_not_pass_is_raised_at_once(error: Exception) -> None:
    def action() -> None:
        raise error

    with pytest.raises(type(error)):
        persist(action, HurriedEvent(), "inserting")


def test_a_stop_ends_the_waiting() -> None:
    def action() -> None:
        raise Unavailable("away")

    stop = HurriedEvent()
    stop.set()
    with pytest.raises(Stopped):
        persist(action, stop, "inserting")
