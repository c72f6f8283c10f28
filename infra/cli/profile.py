"""`modeltrail profile`: makes the reference that drift of a version is measured against."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.schemas.errors import InvalidFact

if TYPE_CHECKING:
    from modeltrail.infra.cli.profile_data import Columns
    from modeltrail.producers.registry.fold import RegisteredModel
    from modeltrail.schemas.events import ReferenceProfiled

_PATIENCE_S = 30.0
_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


@click.command("profile")
@click.argument("model")
@click.argument("version")
@click.argument("data", required=False, type=click.Path(path_type=Path, exists=True))
@click.option("--features", default="", help="Names, separated by commas; default: all numbers.")
@click.option("--dataset", default="", help="What to call the data set; default: its file name.")
@click.option("--from-measurements", is_flag=True, help="Take what nodes measured, not a file.")
@click.option("--since", type=click.DateTime(_FORMATS), help="First capture time, UTC.")
@click.option("--until", type=click.DateTime(_FORMATS), help="End of the capture times, UTC.")
@click.option("--environment", default="", help="Only measurements of this environment.")
@click.option("--profiled-by", default="", help="Who asks.")
@click.pass_obj
def profile(
    settings: Settings,
    model: str,
    version: str,
    data: Path | None,
    features: str,
    dataset: str,
    from_measurements: bool,
    since: datetime | None,
    until: datetime | None,
    environment: str,
    profiled_by: str,
) -> None:
    """Make the reference of a version's drift, from a CSV or Parquet file or from measurements.

    Columns are named like the metrics that nodes measure. Rows are taken to be independent: of a
    recording, give one that is long beside the time over which its values depend on each other.
    """
    if from_measurements != (data is None) or (from_measurements and not (since and until)):
        raise click.UsageError("give a file, or --from-measurements with --since and --until")
    from modeltrail.infra.cli import profile_data
    from modeltrail.infra.clock import SystemClock
    from modeltrail.producers.profiling.profile import reference_profile
    from modeltrail.schemas.ids import Micros

    registered = _registered(settings, model, version)
    names = [name.strip() for name in features.split(",") if name.strip()]
    if data is not None:
        columns = profile_data.from_file(data, dataset, names)
    else:
        assert since is not None
        assert until is not None
        columns = profile_data.from_measurements(
            settings.clickhouse,
            registered,
            names,
            since.replace(tzinfo=UTC),
            until.replace(tzinfo=UTC),
            environment=environment,
            name=dataset,
        )
    now_us = Micros(SystemClock().now_us())
    fact = reference_profile(registered, columns.dataset, columns.values, now_us, profiled_by)
    append_profile(settings, fact)
    _show(fact, columns)


def _registered(settings: Settings, model: str, version: str) -> "RegisteredModel":
    from modeltrail.producers.registry.client import ModelRegistry

    registry = ModelRegistry(settings)
    found = registry.get_model(model, version)
    registry.close()
    if found is None:
        raise InvalidFact(
            f"{model} {version} is not registered: "
            "the view model_versions lists what is, see `modeltrail sql`"
        )
    return found


def append_profile(settings: Settings, fact: "ReferenceProfiled") -> None:
    """Append a reference profile to the registry's topic.

    Raises:
        Unavailable: Kafka did not take it in time; it is on disk and goes out later.
    """
    from modeltrail.infra.schema_registry import ConfluentSchemaIds
    from modeltrail.producers.eventlog.kafka import KafkaLog
    from modeltrail.producers.spooling.outbox import Outbox
    from modeltrail.schemas.topics import REGISTRY, key_of

    outbox = Outbox(
        settings,
        KafkaLog(settings.kafka),
        lambda: ConfluentSchemaIds(settings.schema_registry),
    )
    outbox.put(REGISTRY, key_of(fact.model_id), fact)
    taken = outbox.flush(_PATIENCE_S)
    outbox.close()
    if not taken:
        raise Unavailable(
            f"Kafka did not take the profile in {_PATIENCE_S:g} s: it is on disk and goes out with "
            "the next command or job here that reaches Kafka; check `modeltrail status`"
        )


def _show(fact: "ReferenceProfiled", columns: "Columns") -> None:
    from rich.console import Console

    from modeltrail.infra.cli.profile_table import profile_table

    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(
        f"[bold]Reference of {fact.model_id} {fact.version}[/]: {fact.dataset}, "
        f"{fact.rows:,} rows, sha256 {fact.dataset_sha256.hex()[:12]}…",
        highlight=False,
    )
    console.print(profile_table(fact.features, columns.values))
    if columns.left_out:
        console.print(
            f"Left out, as not all they hold are numbers: {', '.join(columns.left_out)}",
            highlight=False,
            markup=False,
        )
