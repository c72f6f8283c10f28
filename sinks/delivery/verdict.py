"""Answers what a receiver's answer means: it took the alert, will take it later, or never will.

Statuses about this very request (400, 413, 422, …) are final: the alert becomes a dead letter.
Those about the receiver or the way to it are not: everything from 500 on, 408, 425 and 429, but
also 401, 403, 404 and 407 (a secret that is being changed, a proxy whose backend is away) and
redirects, which are not followed. Until the settings are corrected the alerts wait in the log.
"""

from dataclasses import dataclass
from http import HTTPStatus

_OF_THE_WAY = frozenset(
    (
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.MISDIRECTED_REQUEST,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    )
)


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class TryLater:
    """The receiver may take it later; `asked_s` is how long it asked to be left alone, s."""

    detail: str
    asked_s: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver will never take it."""

    detail: str


Verdict = Taken | TryLater | Refused


def verdict_of(status: int, retry_after: str = "", said: str = "") -> Verdict:
    """What an HTTP answer means.

    Args:
        status: the status code.
        retry_after: the header of that name; a number of seconds is heeded.
        said: the beginning of the body.
    """
    if 200 <= status < 300:
        return Taken()
    if 300 <= status < 400:
        return TryLater(f"status {status}: redirects are not followed, set the final address")
    if 400 <= status < 500 and status not in _OF_THE_WAY:
        return Refused(f"status {status}: {said}".rstrip(": "))
    return TryLater(f"status {status}", _seconds(retry_after))


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
