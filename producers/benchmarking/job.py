"""Answers BenchmarkRequested: fetches both versions, has them measured, says what was found."""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from modeltrail.infra.clock import Clock
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.benchmarking.measuring import measure, not_measured
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.deployment_policy import (
    PerformancePolicy,
    PolicyInvalid,
    performance_settings,
)
from modeltrail.schemas.errors import ModeltrailError, SchemaRegistryUnavailable
from modeltrail.schemas.events import BenchmarkMeasured, BenchmarkRequested, Fact
from modeltrail.schemas.ids import Micros, ModelId, NodeId, Version, derived_event_id

FetchModel = Callable[[ModelId, Version], Path]
"""Fetches a version's file; raises a ModeltrailError that says why there is none."""
_AWAY = (Unavailable, SchemaRegistryUnavailable)


class BenchmarkJob:
    """A `Job` of one node, or of a worker where no node is asked."""

    def __init__(
        self,
        fetch_model: FetchModel,
        clock: Clock,
        *,
        node_id: NodeId | None = None,
        providers: Sequence[str] | None = None,
        threads: int = 1,
    ) -> None:
        """Prepare.

        Args:
            fetch_model: where model files come from.
            clock: when answers are made.
            node_id: takes requests to this node; None takes those to nobody.
            providers: ONNX Runtime execution providers; None is CUDA where it works, then CPU.
            threads: threads of one run.
        """
        self._fetch_model = fetch_model
        self._clock = clock
        self._node_id = node_id
        self._providers = providers
        self._threads = threads

    def takes(self, fact: Fact) -> bool:
        """Whether this asks us for a benchmark."""
        return isinstance(fact, BenchmarkRequested) and fact.node_id == self._node_id

    def expires_s(self, fact: Fact) -> float | None:
        """The deadline that the policy sets."""
        assert isinstance(fact, BenchmarkRequested)
        try:
            return performance_settings(fact.settings_json).deadline_s
        except PolicyInvalid:
            return None

    def do(self, request: Appended, stop: threading.Event) -> BenchmarkMeasured:
        """Measure; what goes wrong becomes evidence.

        Raises:
            Interrupted: `stop` was set.
            Unavailable: the log or the artifact store does not answer.
            SchemaRegistryUnavailable: the schema registry does not answer.
        """
        fact = request.fact
        assert isinstance(fact, BenchmarkRequested)
        evidence = self._evidence(fact, stop)
        return BenchmarkMeasured(
            event_id=derived_event_id(BenchmarkMeasured.record, fact.event_id),
            occurred_at=Micros(self._clock.now_us()),
            request_id=fact.event_id,
            deployment_id=fact.deployment_id,
            model_id=fact.model_id,
            version=fact.version,
            evidence_json=json.dumps(evidence, sort_keys=True, allow_nan=False),
            node_id=self._node_id or "",
        )

    def _evidence(self, fact: BenchmarkRequested, stop: threading.Event) -> dict[str, object]:
        policy = PerformancePolicy()
        try:
            policy = performance_settings(fact.settings_json)
            candidate = self._fetch_model(fact.model_id, fact.version)
            baseline = None
            if fact.baseline_version is not None:
                baseline = self._fetch_model(fact.model_id, fact.baseline_version)
        except _AWAY:
            raise
        except ModeltrailError as error:
            return not_measured(str(error), policy)
        return measure(
            candidate,
            baseline,
            policy,
            providers=self._providers,
            threads=self._threads,
            stop=stop,
        )
