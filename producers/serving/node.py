"""An inference node that follows the log: it serves what the routing of its environment says."""

import platform
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from modeltrail.infra.clock import Clock, SystemClock
from modeltrail.infra.config import Settings, load_settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.errors import NothingServed
from modeltrail.producers.eventlog.kafka import KafkaLog
from modeltrail.producers.eventlog.port import Log
from modeltrail.producers.monitoring.carrier import Carrier
from modeltrail.producers.monitoring.counts import Counts
from modeltrail.producers.monitoring.monitor import InferenceMonitor
from modeltrail.producers.monitoring.runtime import available_providers
from modeltrail.producers.per_process import at_exit
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.producers.serving import fold
from modeltrail.producers.serving.benchmarks import BenchmarkDesk
from modeltrail.producers.serving.engine import Engine
from modeltrail.producers.serving.fold import Load
from modeltrail.producers.serving.following import Follower
from modeltrail.producers.serving.loading import ModelLoader
from modeltrail.producers.serving.reporting import Reporter
from modeltrail.producers.serving.session import ServedSession
from modeltrail.producers.serving.slot import RoutedModel
from modeltrail.schemas.codec import SchemaIds
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    LoadOutcome,
    NodeLoadedModel,
    NodeReported,
    NodeStarted,
    NodeStopped,
    RoutingSet,
    ServedArm,
)
from modeltrail.schemas.ids import Micros, ModelId, NodeId, SessionId, check_id, new_event_id


class ServingNode:
    """Serves every model that is routed to its environment, and says so in the log.

    A node, complete (`camera`, `to_feeds` and `mask` are its own)::

        from modeltrail import ServingNode

        with ServingNode(node_id="gate-1") as node:
            node.wait_until_served("centerface")
            with node.session("centerface", "gate-1 2026-01-01 08:00") as session:
                for image in camera:
                    with session.frame(image) as frame:
                        outputs = frame.run(None, to_feeds(image))
                        with frame.stage("mask"):
                            faces, score = mask(image, outputs)
                        frame.record(faces=faces, detection_score=score)

    A model is fetched by its SHA-256, verified, opened and run once before it is swapped in,
    between two frames. One that does not come, verify or run changes nothing: the node keeps what
    it has. While Kafka is away it goes on with what it serves. A forked child serves nothing.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        node_id: str,
        environment: str | None = None,
        models: Sequence[str] | None = None,
        providers: Sequence[str] | None = None,
        session_options: Callable[[], Any] | None = None,
        benchmarks: bool = False,
        log: Log | None = None,
        schema_ids: SchemaIds | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Start to follow the routing; nothing is waited for.

        Args:
            settings: None loads `modeltrail.yaml`, the environment and the running stack.
            node_id: this node.
            environment: whose routing it follows; None is `monitoring.environment`.
            models: the ids of the models that it serves; None is all that are routed there. What
                it leaves out, a deployment does not wait for it to load.
            providers: ONNX Runtime execution providers; None is CUDA where it works, then CPU.
            session_options: makes the `onnxruntime.SessionOptions` of each model.
            benchmarks: whether it answers the benchmarks that it is asked for, beside its frames.
            log: None is the configured Kafka.
            schema_ids: None is the configured schema registry.
            clock: None is the machine's.

        Raises:
            InvalidFact: an id may not become part of a fact, or `models` names none.
            ConfigError: no Kafka or schema registry is configured, or the artifact store's URL
                holds a password.
        """
        settings = settings or load_settings()
        if environment is not None:
            monitoring = replace(settings.monitoring, environment=environment)
            settings = replace(settings, monitoring=monitoring)
        self.node_id = NodeId(check_id("node_id", node_id))
        self.environment = check_id("environment", settings.monitoring.environment)
        self._settings = settings
        self._models = None if models is None else _checked(models)
        self._clock = clock or SystemClock()
        log = log or KafkaLog(settings.kafka)

        def ids() -> SchemaIds:
            return schema_ids or ConfluentSchemaIds(settings.schema_registry, retries=0)

        ids()
        store = open_artifact_store(settings)
        self._carrier = Carrier(settings, log, schema_ids, self._clock)
        self._closed = threading.Lock()
        self._engine = Engine(
            ModelLoader(store, providers, session_options),
            self._clock,
            settings.serving.longest_backoff_s,
            self._say_loaded,
            self._say_changed,
        )
        started = NodeStarted(
            event_id=new_event_id(),
            occurred_at=self._now(),
            node_id=self.node_id,
            environment=self.environment,
            host=platform.node(),
            providers=tuple(providers or available_providers()),
        )
        self._reporter = Reporter(
            log,
            ids,
            self.node_id,
            settings.serving.heartbeat_s,
            self._clock,
            first=started,
            report=self._report,
        )
        # Last: what follows from the routing is loaded and reported by the others.
        self._follower = Follower(log, ids, self.environment, self._route, self._engine.withdraw)
        self._desk: BenchmarkDesk | None = None
        if benchmarks:
            threads = 1 if session_options is None else session_options().intra_op_num_threads
            self._desk = BenchmarkDesk(settings, self.node_id, providers, threads)
        at_exit(self.close)

    def session(
        self, model_id: str, session_id: str | None = None, *, bgr: bool = False
    ) -> ServedSession:
        """One video session of a model; many may be open, each used by one thread.

        Args:
            model_id: which model; it need not be routed yet.
            session_id: unique for ever; it decides the arm. None makes one.
            bgr: images come with blue first, as OpenCV gives them.

        Raises:
            InvalidFact: an id may not become part of a fact.
        """
        slot = self._engine.slot(ModelId(check_id("model_id", model_id)))
        return ServedSession(slot, self.node_id, session_id, self._monitor_of, bgr=bgr)

    def wait_until_served(self, model_id: str, timeout_s: float = 60.0) -> None:
        """Wait until the routing was read and a model is served by it, or as well as can be.

        An artifact that does not come or does not open is waited for: it is tried again meanwhile.

        Raises:
            NothingServed: it is not within `timeout_s`, or the store has other bytes.
        """
        name = ModelId(model_id)
        deadline = self._clock.monotonic() + timeout_s
        self._follower.caught_up.wait(timeout_s)
        left = max(0.0, deadline - self._clock.monotonic())
        self._engine.wait(
            lambda state: fold.is_settled(state, name) and not fold.may_come(state, name), left
        )
        if all(arm.model_id != name for arm in self.served_arms()):
            failures = [str(failure.detail) for failure in self._engine.state.failures.values()]
            raise NothingServed(
                f"no version of {model_id!r:.80} is served in {self.environment} within "
                f"{timeout_s:g} s{': ' if failures else ''}{'; '.join(failures)}: see "
                "`modeltrail deployments list`"
            )

    def served_arms(self) -> tuple[ServedArm, ...]:
        """Every arm that is served now, by model."""
        return fold.served_arms(self._engine.state)

    def failing(self) -> tuple[str, ...]:
        """Model and version, separated by a space, of what is routed here and does not run."""
        return fold.failing(self._engine.state)

    def counts(self) -> Counts:
        """What became of the measurements of all sessions so far."""
        return self._carrier.counts()

    def close(self) -> None:
        """Stop following, send what waits within `monitoring.flush_timeout_s`, say goodbye."""
        if not self._closed.acquire(blocking=False):
            return
        patience_s = self._settings.monitoring.flush_timeout_s
        if self._desk is not None:
            self._desk.close(patience_s)
        self._follower.close(patience_s)
        self._engine.close(patience_s)
        self._carrier.close()
        goodbye = NodeStopped(new_event_id(), self._now(), self.node_id, self.environment)
        self._reporter.close(goodbye, patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _route(self, routing: RoutingSet) -> None:
        if self._models is None or routing.model_id in self._models:
            self._engine.route(routing)

    def _monitor_of(
        self, model: RoutedModel, session_id: SessionId, arm: str, execution_provider: str
    ) -> InferenceMonitor:
        return InferenceMonitor(
            self._settings,
            model=model,
            node_id=self.node_id,
            session_id=session_id,
            arm=arm,
            execution_provider=execution_provider,
            clock=self._clock,
            carrier=self._carrier,
        )

    def _say_changed(self) -> None:
        self._reporter.changed()

    def _say_loaded(
        self, load: Load, outcome: LoadOutcome, detail: str, provider: str, load_ms: float
    ) -> None:
        self._reporter.say(
            NodeLoadedModel(
                event_id=new_event_id(),
                occurred_at=self._now(),
                node_id=self.node_id,
                environment=self.environment,
                model_id=load.model_id,
                version=load.arm.version,
                artifact_sha256=load.arm.artifact_sha256,
                revision=load.revision,
                outcome=outcome,
                load_ms=load_ms,
                detail=detail,
                execution_provider=provider,
            )
        )

    def _report(self) -> NodeReported:
        state = self._engine.state
        return NodeReported(
            event_id=new_event_id(),
            occurred_at=self._now(),
            node_id=self.node_id,
            environment=self.environment,
            heartbeat_s=self._settings.serving.heartbeat_s,
            serves=fold.served_arms(state),
            failing=fold.failing(state),
            follows=tuple(sorted(self._models or ())),
            transient=fold.transient(state),
        )

    def _now(self) -> Micros:
        return Micros(self._clock.now_us())


def _checked(models: Sequence[str]) -> frozenset[ModelId]:
    # In a report no names mean all models.
    if not models:
        raise InvalidFact("models names none: give the ids of those to serve, or None for all")
    return frozenset(ModelId(check_id("model_id", each)) for each in models)
