"""Says what a plain worker does: where requests come from, who does them, where answers go."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import Fact
from modeltrail.schemas.topics import Topic


class Job(Protocol):
    """One kind of work: which requests it takes, and how it answers them."""

    def takes(self, fact: Fact) -> bool:
        """Whether this is a request for it."""
        ...

    def expires_s(self, fact: Fact) -> float | None:
        """Seconds after its append after which nobody waits for an answer; None: never."""
        ...

    def do(self, request: Appended, stop: threading.Event) -> Fact:
        """The answer, its `request_id` the request's `event_id`.

        Raises:
            Interrupted: `stop` was set meanwhile; the request comes again.
            Unavailable: a server is away; it is tried again after a pause.
        """
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Where requests come from, where answers go, and who does the work.

    `group` is the name of the consumer group, without prefix: workers of one group share the
    requests.
    """

    group: str
    requests: Topic
    answers: Topic
    jobs: Sequence[Job]
