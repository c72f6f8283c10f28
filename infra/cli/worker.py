"""`modeltrail worker`: runs processors, projector, delivery or jobs until it is told to stop."""

import logging
import signal
import sys
import threading
from pathlib import Path

import click

from modeltrail.infra.config import Settings


@click.command()
@click.argument("name", type=click.Choice(["processors", "projector", "delivery", "jobs"]))
@click.pass_obj
def worker(settings: Settings, name: str) -> None:
    """Run one worker in the foreground; it prints `ready` once it is at work."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if name == "processors":
        from modeltrail.processors.memory import settle_allocators

        settle_allocators()
        from modeltrail.processors.app import run_processors

        run_processors(settings, _say_ready, Path(settings.stack.data_dir) / "processors")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if name == "delivery":
        from modeltrail.sinks.delivery import run_delivery

        run_delivery(settings, stop, _say_ready)
        return
    if name == "jobs":
        from modeltrail.infra.cli.jobs_worker import run_jobs_worker

        run_jobs_worker(settings, stop, _say_ready)
        return
    from modeltrail.sinks.projector import run_projector

    run_projector(settings, stop, _say_ready)


def _say_ready() -> None:
    print("ready", file=sys.__stdout__, flush=True)
