"""Times one frame by stage, and makes exactly one measurement of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, SupportsFloat

from modeltrail.producers.errors import UndeclaredMetric
from modeltrail.producers.monitoring.measures import STAGES
from modeltrail.producers.values import finite, natural
from modeltrail.schemas.errors import InvalidFact, ModeltrailError
from modeltrail.schemas.measures import COUNTS, MEASURES

_MS = 1000.0
_MEASURES = frozenset(MEASURES)

Run = Callable[..., Any]
Done = Callable[["Frame", float], None]


class Frame:
    """One frame on its way through a node: `with session.frame(image) as frame: …`."""

    def __init__(
        self,
        number: int,
        captured_at_us: int,
        measured: dict[str, float],
        declared: frozenset[str],
        run: Run,
        done: Done,
    ) -> None:
        self.number = number
        self.captured_at_us = captured_at_us
        self.measures = measured
        self.extra: dict[str, float] = {}
        self._declared = declared
        self._run = run
        self._done = done
        self._started = 0.0

    def run(
        self,
        output_names: Sequence[str] | None,
        feeds: Mapping[str, Any],
        run_options: Any = None,
        *,
        stage: str = "detect",
    ) -> Any:
        """Run the model, timed as `stage`; arguments and result as of `InferenceSession.run`.

        Raises:
            InvalidFact: no such stage.
        """
        with self.stage(stage):
            return self._run(output_names, feeds, run_options)

    def stage(self, name: str) -> "Stage":
        """Time a block as one of the stages detect, mark, align, mask, merge, output.

        Several blocks of one stage add up.

        Raises:
            InvalidFact: no such stage.
        """
        if name not in STAGES:
            raise InvalidFact(f"no stage {name!r:.80}: give one of {', '.join(STAGES)}")
        return Stage(self.measures, f"{name}_ms")

    def record(self, **measures: SupportsFloat) -> None:
        """Add measures of this frame: standard ones, or extra ones that the model declares.

        Raises:
            InvalidFact: NaN, infinity, no number, or a count that is not 0 or more.
            UndeclaredMetric: neither a standard measure nor declared on the model.
        """
        for name, value in measures.items():
            if name in COUNTS:
                self.measures[name] = natural(name, value)
            elif name in _MEASURES:
                self.measures[name] = finite(name, value)
            elif name in self._declared:
                self.extra[name] = finite(name, value)
            else:
                raise UndeclaredMetric(
                    f"{name!r:.80} is no standard measure and not declared on the model: "
                    "declare it with register_model(declared_metrics=…)"
                )

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ended = time.perf_counter()
        self.measures.setdefault("latency_ms", (ended - self._started) * _MS)
        try:
            self._done(self, ended)
        except ModeltrailError:
            # What went wrong in the block says more than what went wrong in measuring it.
            if error is None:
                raise


class Stage:
    """Adds the time of a block to one measure."""

    def __init__(self, measures: dict[str, float], measure: str) -> None:
        self._measures = measures
        self._measure = measure
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        spent = (time.perf_counter() - self._started) * _MS
        self._measures[self._measure] = self._measures.get(self._measure, 0.0) + spent
