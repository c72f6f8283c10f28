"""Answers ValidationRequested: fetches the file, has it checked, says what was found."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from modeltrail.infra.clock import Clock
from modeltrail.infra.errors import Unavailable
from modeltrail.processors.validation.validating import Subject, unfit, validate
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.deployment_policy import PolicyInvalid, validation_settings
from modeltrail.schemas.errors import ModeltrailError, SchemaRegistryUnavailable
from modeltrail.schemas.events import Fact, ModelValidated, ValidationRequested
from modeltrail.schemas.ids import (
    Micros,
    ModelId,
    Sha256,
    Version,
    derived_event_id,
    sha256_from_hex,
)

FindModel = Callable[[ModelId, Version], Subject]
"""Fetches a version's file; raises a ModeltrailError that says why there is none."""
FetchFile = Callable[[Sha256, str], Path]
"""Fetches bytes by SHA-256 and address; raises a ModeltrailError that says why not."""
_AWAY = (Unavailable, SchemaRegistryUnavailable)


class ValidationJob:
    """A `Job`: checks the files of versions."""

    def __init__(self, find_model: FindModel, fetch_file: FetchFile, clock: Clock) -> None:
        """Prepare.

        Args:
            find_model: where files and registrations come from.
            fetch_file: where golden outputs come from.
            clock: when answers are made.
        """
        self._find_model = find_model
        self._fetch_file = fetch_file
        self._clock = clock

    def takes(self, fact: Fact) -> bool:
        """Whether this asks for a validation."""
        return isinstance(fact, ValidationRequested)

    def expires_s(self, fact: Fact) -> float | None:
        """The deadline that the policy sets."""
        assert isinstance(fact, ValidationRequested)
        try:
            return validation_settings(fact.settings_json).deadline_s
        except PolicyInvalid:
            return None

    def do(self, request: Appended, stop: threading.Event) -> ModelValidated:
        """Check the file; what is wrong with it, or with the request, becomes evidence.

        Raises:
            Interrupted: `stop` was set.
            Unavailable: the log or the artifact store does not answer.
            SchemaRegistryUnavailable: the schema registry does not answer.
        """
        fact = request.fact
        assert isinstance(fact, ValidationRequested)
        evidence = self._evidence(fact, stop)
        return ModelValidated(
            event_id=derived_event_id(ModelValidated.record, fact.event_id),
            occurred_at=Micros(self._clock.now_us()),
            request_id=fact.event_id,
            deployment_id=fact.deployment_id,
            model_id=fact.model_id,
            version=fact.version,
            worker=socket.gethostname(),
            evidence_json=json.dumps(evidence, sort_keys=True, allow_nan=False),
        )

    def _evidence(self, fact: ValidationRequested, stop: threading.Event) -> dict[str, object]:
        checked = "limits"
        try:
            policy = validation_settings(fact.settings_json)
            checked = "sha256"
            subject = self._find_model(fact.model_id, fact.version)
            if subject.sha256 != fact.artifact_sha256:
                return unfit(
                    checked,
                    f"registered is {subject.sha256.hex()}, asked for is "
                    f"{fact.artifact_sha256.hex()}",
                )
            checked, golden = "golden", None
            if policy.golden_uri:
                golden = self._fetch_file(sha256_from_hex(policy.golden_sha256), policy.golden_uri)
        except _AWAY:
            raise
        except ModeltrailError as error:
            return unfit(checked, str(error))
        return validate(subject, golden, policy, stop)
