"""Gives one run as an object to log to, which ends with its block."""

import json
import logging
import os
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, SupportsFloat, SupportsIndex

from modeltrail.producers.experiments.open_run import OpenRun
from modeltrail.producers.experiments.recorder import LONGEST_DETAIL
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.ids import ExperimentId, RunId

if TYPE_CHECKING:
    from modeltrail.producers.experiments.tracker import ExperimentTracker
    from modeltrail.producers.registry.artifacts import Artifact

_LOG = logging.getLogger(__name__)


class ActiveRun:
    """A run of a tracker; its methods are the tracker's, without the id.

    As a context manager it ends the run: finished, also on `sys.exit(0)`; failed on an exception
    or another exit code; killed on KeyboardInterrupt and the like; the latter two with the
    traceback as detail. What was raised goes on. A run that was ended inside of the block stays as
    it is.
    """

    def __init__(self, tracker: "ExperimentTracker", run: OpenRun) -> None:
        self._tracker = tracker
        self._run = run

    @property
    def run_id(self) -> RunId:
        """The run's id."""
        return self._run.run_id

    @property
    def experiment_id(self) -> ExperimentId:
        """The experiment that the run belongs to."""
        return self._run.experiment_id

    @property
    def environment(self) -> Mapping[str, Any]:
        """What was captured: `git`, `host`, `platform`, `python`, `packages`, `gpus`, `seed`."""
        found: Mapping[str, Any] = json.loads(self._run.environment_json or "{}")
        return found

    def log_metrics(
        self, metrics: Mapping[str, SupportsFloat], step: SupportsIndex | None = None
    ) -> None:
        """As `ExperimentTracker.log_metrics`."""
        self._tracker.log_metrics(self.run_id, metrics, step)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """As `ExperimentTracker.log_params`."""
        self._tracker.log_params(self.run_id, params)

    def set_tag(self, name: str, value: str | None) -> None:
        """As `ExperimentTracker.set_tag`."""
        self._tracker.set_tag(self.run_id, name, value)

    def log_artifact(self, path: str | os.PathLike[str], name: str | None = None) -> "Artifact":
        """As `ExperimentTracker.log_artifact`."""
        return self._tracker.log_artifact(self.run_id, path, name)

    def nested(
        self,
        experiment_id: str,
        config: Mapping[str, Any] | None = None,
        *,
        run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        capture: bool = True,
    ) -> "ActiveRun":
        """Start a run inside of this one; as `ExperimentTracker.run`."""
        return self._tracker.run(
            experiment_id,
            config,
            run_id=run_id,
            parent_run_id=self.run_id,
            tags=tags,
            capture=capture,
        )

    def end(self, status: str = "finished", detail: str = "") -> None:
        """As `ExperimentTracker.end_experiment`."""
        self._tracker.end_experiment(self.run_id, status, detail)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._run.ended:
            return
        if error is None:
            self.end()
            return
        status = _status(error)
        try:
            self.end(status, "" if status == "finished" else _told(error))
        except ModeltrailError as failure:
            # The exception of the training job matters more than that its end was not recorded.
            _LOG.error("the end of run %.80s is not recorded: %s", self.run_id, failure)


def _status(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        # `sys.exit()` gives None, and `sys.exit("why")` fails.
        return "failed" if error.code else "finished"
    return "failed" if isinstance(error, Exception) else "killed"


def _told(error: BaseException) -> str:
    text = "".join(traceback.format_exception(error))
    # The innermost call and the message stand at the end.
    return text.encode(errors="replace").decode()[-LONGEST_DETAIL:]
