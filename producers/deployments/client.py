"""Asks for deployments and tells how far they are; every answer comes from the log itself."""

import logging
from collections.abc import Iterator
from contextlib import closing

from modeltrail.producers.deployments.request import cancel, deployment, rollback
from modeltrail.producers.deployments.view import (
    DeploymentsView,
    DeploymentView,
    deployment_of,
)
from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.eventlog.client import LogClient
from modeltrail.producers.eventlog.port import LogRecord
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.schemas.deployment_policy import DeploymentPolicy
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import (
    DeploymentCancelRequested,
    DeploymentRequested,
    Fact,
    RollbackRequested,
)
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.topics import DEPLOYMENTS, key_of

_POLL_S = 0.2
_log = logging.getLogger(__name__)


class DeploymentClient(LogClient):
    """Where deployments are asked for; one thread uses it."""

    def deploy(
        self,
        model_id: str,
        version: str,
        policy: DeploymentPolicy | str = "",
        environment: str = "production",
        requested_by: str = "",
        reason: str = "",
    ) -> EventId:
        """Ask that a version go through the gates of a policy and into an environment.

        Args:
            model_id: which model.
            version: which of its versions.
            policy: the policy, or YAML; empty: every default.
            environment: where to.
            requested_by: who asks.
            reason: why.

        Returns:
            The deployment's id; `follow` tells how it goes.

        Raises:
            InvalidFact: one of the values may not become a fact.
            PolicyInvalid: the policy has a problem; nothing was appended.
            Unavailable: Kafka did not acknowledge.
            SchemaRegistryUnavailable: the schema registry does not answer.
        """
        fact = deployment(
            model_id, version, policy, environment, requested_by, reason, self._clock.now_us()
        )
        return self._append(fact)

    def cancel(self, deployment_id: str, requested_by: str = "", reason: str = "") -> EventId:
        """Ask that a deployment stop where it is; give the id of that request.

        Args:
            deployment_id: in hex, or a beginning that no other deployment has.
            requested_by: who asks.
            reason: why.

        Raises:
            NoSuchDeployment: there is none.
            AmbiguousDeployment: there are several.
            InvalidFact: one of the values may not become a fact.
            Unavailable: Kafka does not answer.
        """
        found = self.view().find(deployment_id)
        now_us = self._clock.now_us()
        return self._append(
            cancel(found.deployment_id, found.request.model_id, requested_by, reason, now_us)
        )

    def rollback(
        self,
        model_id: str,
        environment: str = "production",
        version: str | None = None,
        requested_by: str = "",
        reason: str = "",
    ) -> EventId:
        """Ask for an earlier version at once; give the id of that request.

        Args:
            model_id: which model.
            environment: where.
            version: any that had all traffic before; None: the one that had it before.
            requested_by: who asks.
            reason: why.

        Raises:
            InvalidFact: one of the values may not become a fact.
            Unavailable: Kafka did not acknowledge.
        """
        now_us = self._clock.now_us()
        return self._append(rollback(model_id, environment, version, requested_by, reason, now_us))

    def view(self) -> DeploymentsView:
        """Every deployment as of now.

        Raises:
            Unavailable: Kafka does not answer.
            SchemaRegistryUnavailable: a writer schema is not known yet.
        """
        view = DeploymentsView()
        partitions = tuple(range(self._log.partitions(DEPLOYMENTS)))
        ends = self._log.end_offsets(DEPLOYMENTS, partitions)
        for record in read_to_end(self._log, DEPLOYMENTS, dict.fromkeys(partitions, 0), ends):
            if (fact := self._fact_of(record)) is not None:
                view.absorb(fact)
        return view

    def list(self, model_id: str = "") -> list[DeploymentView]:
        """The deployments of a model, or all, the oldest first; raises as `view` does."""
        return self.view().all(model_id)

    def follow(self, request_id: EventId) -> Iterator[Fact | None]:
        """Each fact about a deployment or another request, from its first on, without an end.

        Whoever asked knows which fact is the last for him: one that succeeded may be rolled back
        later.

        Args:
            request_id: what `deploy`, `cancel` or `rollback` gave.

        Yields:
            The facts in the order of the log; None when none came for 0.2 s.

        Raises:
            Unavailable: Kafka does not answer.
        """
        starts = dict.fromkeys(range(self._log.partitions(DEPLOYMENTS)), 0)
        with closing(self._log.cursor(DEPLOYMENTS, starts)) as cursor:
            while True:
                records = cursor.poll(_POLL_S)
                if not records:
                    yield None
                for record in records:
                    fact = self._fact_of(record)
                    if fact is not None and request_id in _about(fact):
                        yield fact

    def _append(
        self, fact: DeploymentRequested | DeploymentCancelRequested | RollbackRequested
    ) -> EventId:
        appender = Appender(self._log, self._codec)
        appender.put(DEPLOYMENTS, key_of(fact.model_id), fact)
        appender.finish()
        return fact.event_id

    def _fact_of(self, record: LogRecord) -> Fact | None:
        try:
            return self._codec.decode(record.value or b"")
        except DecodeError as error:
            # The projector puts it into the dead letters; here it must not hide the others.
            _log.warning(
                "skipped partition %d offset %d of the deployments topic: %s",
                record.partition,
                record.offset,
                error,
            )
            return None


def _about(fact: Fact) -> set[EventId | None]:
    return {
        fact.event_id,
        deployment_of(fact),
        getattr(fact, "request_id", None),
        getattr(fact, "caused_by", None),
    }
