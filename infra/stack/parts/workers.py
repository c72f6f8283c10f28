"""Our own programs: the migration step, then the workers that fold and project the facts."""

from pathlib import Path

from modeltrail.infra.config import AlertingSettings
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.part import Finishes, LogLine, Part
from modeltrail.infra.stack.python import python_command, python_environment

WORKERS = ("processors", "projector", "jobs")
DELIVERY = "delivery"


def worker_parts(
    layout: Layout, config: Path | None, servers: tuple[str, ...], alerting: AlertingSettings
) -> list[Part]:
    """`migrate`, once every embedded server is ready, and after it the workers that are needed."""
    options = ("--config", str(config.absolute())) if config else ()
    environment = python_environment(layout)
    command = python_command("modeltrail.infra.cli", *options)
    migrate = Part(
        name="migrate",
        argv=(*command, "migrate"),
        env=environment,
        ready=Finishes(),
        depends_on=servers,
    )
    workers = [
        Part(
            name=name,
            argv=(*command, "worker", name),
            env=environment,
            ready=LogLine("ready\n"),
            depends_on=(migrate.name,),
        )
        for name in _needed(alerting)
    ]
    return [migrate, *workers]


def _needed(alerting: AlertingSettings) -> tuple[str, ...]:
    delivers = alerting.webhook_url.reveal() or alerting.alertmanager_url.reveal()
    return (*WORKERS, DELIVERY) if delivers else WORKERS
