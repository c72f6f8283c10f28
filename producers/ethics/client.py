"""Asks for assessments: stores the data, appends the request, waits for the answer in the log."""

import logging
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from modeltrail.infra.clock import Clock
from modeltrail.infra.config import Settings
from modeltrail.producers.ethics.errors import AssessmentNotMade, AssessmentTimeout, NotAssessed
from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.eventlog.client import LogClient
from modeltrail.producers.eventlog.port import Log, LogRecord
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.schemas.assessment_settings import AssessmentSettings, assessment_json
from modeltrail.schemas.codec import SchemaIds
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import (
    AssessmentRefused,
    AssessmentRequested,
    EthicsAssessed,
    Fact,
)
from modeltrail.schemas.ids import Micros, ModelId, Version, check_id, new_event_id
from modeltrail.schemas.topics import ETHICS, key_of

DEFAULT_TIMEOUT_S = 900.0
_POLL_S = 0.2
_LONGEST_REASON = 10_000
_log = logging.getLogger(__name__)
Answer = EthicsAssessed | AssessmentRefused


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is in the log, and where answers to it can be: the end before it was asked."""

    request: AssessmentRequested
    ends: dict[int, int]


class EthicsClient(LogClient):
    """Where assessments are asked for and read; one thread uses it."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        log: Log | None = None,
        schema_ids: SchemaIds | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; nothing is connected yet. Arguments are those of `LogAccess`.

        Raises:
            ConfigError: no Kafka or schema registry is configured, or the artifact store's URL
                holds a password.
        """
        super().__init__(settings, log=log, schema_ids=schema_ids, clock=clock)
        self._store = open_artifact_store(self._settings)

    def assess(
        self,
        model_id: str,
        version: str,
        data_path: str | os.PathLike[str],
        settings: AssessmentSettings,
        *,
        requested_by: str = "",
        reason: str = "",
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> EthicsAssessed:
        """Ask for an assessment and wait for it; arguments and errors as `ask` and `answer_to`."""
        asked = self.ask(
            model_id, version, data_path, settings, requested_by=requested_by, reason=reason
        )
        return self.answer_to(asked, timeout_s=timeout_s)

    def ask(
        self,
        model_id: str,
        version: str,
        data_path: str | os.PathLike[str],
        settings: AssessmentSettings,
        *,
        requested_by: str = "",
        reason: str = "",
    ) -> Asked:
        """Store evaluation data and ask for an assessment; it is honoured once.

        Args:
            model_id: whose version.
            version: which, such as v1.0.0.
            data_path: CSV or Parquet.
            settings: what its columns are, and what is to be looked at.
            requested_by: who asks.
            reason: why, up to 10,000 characters.

        Raises:
            AssessmentSettingsInvalid: the settings contradict themselves.
            ArtifactNotFound: no readable file at `data_path`.
            ArtifactTooLarge: above `model_registry.max_artifact_mb`.
            ArtifactStoreUnavailable: the artifact store does not answer or refuses.
            InvalidFact: a name may not become part of a fact.
            Unavailable: Kafka does not answer, or did not acknowledge.
            SchemaRegistryUnavailable: the schema registry does not answer.
        """
        settings_json = assessment_json(settings)
        checked_id = ModelId(check_id("model_id", model_id))
        checked_version = Version(check_id("version", version))
        who = check_id("requested_by", requested_by) if requested_by else ""
        data = self._store.put(data_path)
        request = AssessmentRequested(
            event_id=new_event_id(),
            occurred_at=Micros(self._clock.now_us()),
            model_id=checked_id,
            version=checked_version,
            data_uri=data.uri,
            data_sha256=data.sha256,
            data_size=data.size,
            settings_json=settings_json,
            requested_by=who,
            reason=reason[:_LONGEST_REASON],
        )
        ends = self._ends()
        appender = Appender(self._log, self._codec)
        appender.put(ETHICS, key_of(request.model_id), request)
        appender.finish()
        return Asked(request, ends)

    def answer_to(
        self,
        asked: Asked,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        waiting: Callable[[float], None] = lambda _: None,
    ) -> EthicsAssessed:
        """Wait for the answer to a request.

        Args:
            asked: what `ask` gave.
            timeout_s: how long, s.
            waiting: told several times a second for how many seconds it has waited.

        Raises:
            AssessmentNotMade: the assessor refused.
            AssessmentTimeout: no answer in time; the request stays.
            Unavailable: Kafka stopped answering.
            SchemaRegistryUnavailable: a writer schema is not known yet.
        """
        start = self._clock.monotonic()
        with closing(self._log.cursor(ETHICS, asked.ends)) as cursor:
            while (waited := self._clock.monotonic() - start) < timeout_s:
                waiting(waited)
                for record in cursor.poll(_POLL_S):
                    fact = self._fact_of(record)
                    if isinstance(fact, Answer) and fact.request_id == asked.request.event_id:
                        return _made(fact)
        raise AssessmentTimeout(
            f"no answer about {asked.request.model_id[:80]!r} in {timeout_s:g} s: check that "
            "`modeltrail worker jobs` runs; the request is kept, look with `modeltrail ethics show`"
        )

    def newest(self, model_id: str, version: str | None = None) -> EthicsAssessed:
        """The newest assessment of a version, or of any version of the model.

        Raises:
            NotAssessed: there is none.
            Unavailable: Kafka does not answer.
            SchemaRegistryUnavailable: a writer schema is not known yet.
        """
        found: EthicsAssessed | None = None
        for record in read_to_end(self._log, ETHICS, dict.fromkeys(self._ends(), 0), self._ends()):
            fact = self._fact_of(record)
            if (
                isinstance(fact, EthicsAssessed)
                and fact.model_id == model_id
                and version in (None, fact.version)
            ):
                found = fact
        if found is None:
            raise NotAssessed(
                f"{model_id[:80]!r} {version or ''} was not assessed: "
                "ask for it with `modeltrail ethics assess`"
            )
        return found

    def _ends(self) -> dict[int, int]:
        partitions = tuple(range(self._log.partitions(ETHICS)))
        return self._log.end_offsets(ETHICS, partitions)

    def _fact_of(self, record: LogRecord) -> Fact | None:
        try:
            return self._codec.decode(record.value or b"")
        except DecodeError as error:
            # The projector puts it into the dead letters; here it must not hide the others.
            _log.warning(
                "skipped partition %d offset %d of the ethics topic: %s",
                *(record.partition, record.offset, error),
            )
            return None


def _made(answer: Answer) -> EthicsAssessed:
    if isinstance(answer, AssessmentRefused):
        raise AssessmentNotMade(answer.reason, answer.detail)
    return answer
