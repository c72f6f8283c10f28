"""Keeps a node's models as its routing wants them: loads, swaps and lets go, in a thread."""

import logging
import threading
from collections.abc import Callable
from types import MappingProxyType

from modeltrail.infra.clock import Clock
from modeltrail.producers.per_process import ForkGate
from modeltrail.producers.serving import fold
from modeltrail.producers.serving.fold import Load, NodeState
from modeltrail.producers.serving.loading import LoadedModel, ModelLoader, NotLoaded
from modeltrail.producers.serving.slot import Serving, Slot
from modeltrail.schemas.events import LoadOutcome, RoutingSet
from modeltrail.schemas.ids import ModelId, Sha256

_LOG = logging.getLogger(__name__)
_MS = 1000.0

# The load, what became of it, what went wrong, the provider that runs it, and milliseconds.
Loaded = Callable[[Load, LoadOutcome, str, str, float], None]


class Engine:
    """The one place where a node's models change; frame loops only read slots."""

    def __init__(
        self,
        loader: ModelLoader,
        clock: Clock,
        longest_backoff_s: float,
        on_load: Loaded,
        on_change: Callable[[], None],
    ) -> None:
        """Start the loading thread.

        Args:
            loader: loads one model.
            clock: whose monotonic time backoffs and durations have.
            longest_backoff_s: longest pause before a failed artifact is tried again, s.
            on_load: hears of every load, in the loading thread.
            on_change: called when what is served or failing has changed.
        """
        self._loader = loader
        self._clock = clock
        self._gate = ForkGate()
        self._longest_backoff_s = longest_backoff_s
        self._on_load = on_load
        self._on_change = on_change
        self._changed = threading.Condition()
        self._state = NodeState()
        self._models: dict[Sha256, LoadedModel] = {}
        self._slots: dict[ModelId, Slot] = {}
        self._asked_at: dict[ModelId, float] = {}
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="modeltrail-loader", daemon=True)
        self._thread.start()

    @property
    def state(self) -> NodeState:
        """What is wanted, served and failing now."""
        return self._state

    def slot(self, model_id: ModelId) -> Slot:
        """What a model serves; there is one slot for each model, also before it is routed."""
        with self._changed:
            return self._slots.setdefault(model_id, Slot(model_id))

    def route(self, routing: RoutingSet) -> None:
        """Take a routing; what is loaded already is served on return."""
        with self._changed:
            taken = fold.routed(self._state, routing)
            if taken is not self._state:
                self._asked_at[routing.model_id] = self._clock.monotonic()
                self._become(taken)

    def withdraw(self, model_id: ModelId) -> None:
        """The routing of a model was deleted."""
        with self._changed:
            self._become(fold.withdrawn(self._state, model_id))

    def wait(self, is_reached: Callable[[NodeState], bool], timeout_s: float) -> bool:
        """Wait until the state is as asked; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: is_reached(self._state), timeout_s)

    def close(self, timeout_s: float) -> None:
        """Stop loading; what is served goes on being served to the sessions there are."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (load := self._wait_for_load()) is not None:
            try:
                what, fed = f"{load.model_id} {load.arm.version}", self.slot(load.model_id).fed
                with self._gate:
                    model = self._loader.load(what, load.arm, fed)
            except NotLoaded as error:
                self._failed(load, error)
            except Exception as error:
                # An unforeseen error is a model's; the node serves the others.
                _LOG.exception("loading failed")
                self._failed(load, NotLoaded(LoadOutcome.LOAD_FAILED, str(error)))
            else:
                self._loaded(load, model)

    def _wait_for_load(self) -> Load | None:
        with self._changed:
            while not self._closing:
                now = self._clock.monotonic()
                if (load := fold.next_load(self._state, now)) is not None:
                    return load
                retry_at = fold.next_retry(self._state)
                self._changed.wait(None if retry_at is None else max(0.0, retry_at - now))
        return None

    def _loaded(self, load: Load, model: LoadedModel) -> None:
        sha256 = load.arm.artifact_sha256
        with self._changed:
            taken_ms = (self._clock.monotonic() - self._asked_at[load.model_id]) * _MS
            self._models[sha256] = model
            self._become(fold.loaded(self._state, sha256))
        self._on_load(load, LoadOutcome.LOADED, "", model.execution_provider, taken_ms)

    def _failed(self, load: Load, error: NotLoaded) -> None:
        sha256 = load.arm.artifact_sha256
        with self._changed:
            now = self._clock.monotonic()
            taken_ms = (now - self._asked_at[load.model_id]) * _MS
            before = self._state.failures.get(sha256)
            self._become(
                fold.failed(
                    self._state, sha256, error.outcome, error.detail, now, self._longest_backoff_s
                )
            )
        if before is None or (before.outcome, before.detail) != (error.outcome, error.detail):
            _LOG.warning("%s %s does not run here: %s", load.model_id, load.arm.version, error)
            self._on_load(load, error.outcome, error.detail, "", taken_ms)

    def _become(self, state: NodeState) -> None:
        gone = fold.unneeded(state)
        state = fold.released(state, gone)
        before, self._state = self._state, state
        for model_id in {*before.served, *state.served}:
            routing = state.served.get(model_id)
            if routing is not before.served.get(model_id):
                slot = self._slots.setdefault(model_id, Slot(model_id))
                slot.serving = None if routing is None else self._serving(routing)
        for sha256 in gone:
            # Frames on their way keep the model until they end.
            del self._models[sha256]
        self._changed.notify_all()
        if _told_of(state) != _told_of(before):
            self._on_change()

    def _serving(self, routing: RoutingSet) -> Serving:
        models = {arm.artifact_sha256: self._models[arm.artifact_sha256] for arm in routing.arms}
        return Serving(routing, MappingProxyType(models))


def _told_of(state: NodeState) -> tuple[object, ...]:
    return state.served, fold.failing(state), fold.transient(state)
