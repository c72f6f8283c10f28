"""Holds a stack for the length of a `with` block: for the demo, benches and tests."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from modeltrail.infra.config import Settings, environment_name, load_settings
from modeltrail.infra.stack.control import Follow, launch, wait_until_ready
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.state import StackState


def _nobody_looks(_state: StackState) -> None:
    return None


@contextmanager
def running_stack(
    data_dir: Path,
    *,
    workers: bool = True,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    follow: Follow = _nobody_looks,
) -> Iterator[Settings]:
    """Start a stack, yield the settings that reach it, and leave no process behind.

    Even a kill -9 of this process ends the stack.

    Args:
        data_dir: its folder; artifacts and the spool lie there too, unless `environ` differs.
        workers: also migrate and start the workers; without, only Kafka, registry and ClickHouse.
        config: a settings file.
        environ: settings for this stack on top of our environment.
        follow: is shown the state many times a second while it starts and stops.

    Raises:
        StackError: it did not start; the message has the log of the part and the next step.
    """
    layout = Layout.at(data_dir)
    environment = {
        **os.environ,
        environment_name("model_registry", "path"): str(layout.root / "artifacts"),
        environment_name("experiment_tracking", "spool_path"): str(layout.root / "spool"),
        # Recording makes one stop long: worth it to a user who starts again, not to a short life.
        environment_name("stack", "startup_cache"): "false",
        **(environ or {}),
        environment_name("stack", "data_dir"): str(layout.root),
    }
    launched = launch(layout, config, workers=workers, lifeline=True, environ=environment)
    try:
        wait_until_ready(launched, follow)
        yield load_settings(config, environment)
    finally:
        launched.abandon(follow)
