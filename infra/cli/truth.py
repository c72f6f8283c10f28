"""`modeltrail truth`: loads ground truth that became known after the measurements."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from modeltrail.infra.config import Settings


@click.group("truth")
def truth() -> None:
    """Load ground truth that became known later, to judge measurements by it."""


@truth.command("load")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--source", default="", help="Where it comes from, such as who annotated it.")
@click.pass_obj
def load(settings: Settings, file: Path, source: str) -> None:
    """Append the rows of a CSV: node_id, session_id, frame, model_id and a column a measure.

    The whole file is checked first. Load it once: a truth that comes again counts again.
    """
    from modeltrail.infra.clock import SystemClock
    from modeltrail.infra.schema_registry import ConfluentSchemaIds
    from modeltrail.producers.eventlog.appending import Appender
    from modeltrail.producers.eventlog.kafka import KafkaLog
    from modeltrail.producers.truth import load_truth
    from modeltrail.schemas.codec import Codec

    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    appender = Appender(KafkaLog(settings.kafka), codec)
    with ExitStack() as shown:

        def show(count: int) -> Callable[[int], None]:
            bar = click.progressbar(length=count, label=f"{file.name}: {count} rows")
            return shown.enter_context(bar).update

        count = load_truth(file, source, appender, SystemClock(), show)
    click.echo(f"appended ground truth of {count} frames")
