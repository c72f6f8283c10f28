"""Asks the registry for something: keeps the request safe, then waits for its answer."""

from modeltrail.infra.clock import Clock
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.errors import (
    RegistrationRejected,
    RegistrationTimeout,
    RegistryTimeout,
    RequestRefused,
)
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.per_process import PerProcess
from modeltrail.producers.registry.answers import end_of_partition, wait_for_answer
from modeltrail.producers.spooling.outbox import Outbox
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    ModelRegistrationRejected,
    ModelRegistrationRequested,
    RegistryRequestRefused,
)
from modeltrail.schemas.registry_dialogue import RegistryAnswer, RegistryRequest
from modeltrail.schemas.topics import REGISTRY, key_of


class Asking:
    """Requests on their way to the registry, and the answers to them in the log."""

    def __init__(
        self, log: Log, codec: PerProcess[Codec], outbox: Outbox, clock: Clock, timeout_s: float
    ) -> None:
        self._log = log
        self._codec = codec
        self._outbox = outbox
        self._clock = clock
        self._timeout_s = timeout_s

    def ask(self, request: RegistryRequest) -> RegistryAnswer:
        """The answer to `request`, which is honoured also when nobody waits for it any more.

        Raises:
            RegistrationTimeout: no answer to a registration in time.
            RegistryTimeout: no answer to another request in time.
            RegistrationRejected: the registry refused a registration.
            RequestRefused: the registry refused another request.
            SpoolFull: Kafka is away and the spool is full.
        """
        deadline = self._clock.monotonic() + self._timeout_s
        key = key_of(request.model_id)
        start = self._end_before(key)
        self._outbox.put(REGISTRY, key, request)
        if not self._outbox.flush(self._timeout_s):
            raise _timeout(
                request,
                f"Kafka did not take the request about {request.model_id[:80]!r} in "
                f"{self._timeout_s:g} s: check `modeltrail status`. It is on disk and will be sent",
            )
        answer = wait_for_answer(
            self._log,
            self._codec.get(),
            start or (end_of_partition(self._log, key)[0], 0),
            request.event_id,
            deadline - self._clock.monotonic(),
            self._clock,
        )
        if answer is None:
            raise _timeout(
                request,
                f"no answer about {request.model_id[:80]!r} in {self._timeout_s:g} s: check with "
                "`modeltrail status` that the registry worker runs",
            )
        if isinstance(answer, ModelRegistrationRejected):
            raise RegistrationRejected(answer.reason, answer.detail)
        if isinstance(answer, RegistryRequestRefused):
            raise RequestRefused(answer.reason, answer.detail)
        return answer

    def _end_before(self, key: bytes) -> tuple[int, int] | None:
        try:
            return end_of_partition(self._log, key)
        except Unavailable:
            # Kafka may come back while the request waits in the spool.
            return None


def _timeout(request: RegistryRequest, what: str) -> RegistryTimeout:
    if isinstance(request, ModelRegistrationRequested):
        return RegistrationTimeout(f"{what}; calling again with the same file is safe")
    return RegistryTimeout(
        f"{what}. It will be honoured: look with `modeltrail registry history` before asking again"
    )
