"""`modeltrail registry`: find versions of models, look at them, and change what they are called."""

import sys

import click

from modeltrail.infra.cli.form import form_option
from modeltrail.infra.cli.moments import Moment
from modeltrail.infra.cli.pairs import Pair
from modeltrail.infra.cli.registry_access import opened, required
from modeltrail.infra.cli.registry_changes import CHANGES
from modeltrail.infra.cli.registry_verify import verify
from modeltrail.infra.config import Settings

_MOST_VERSIONS = 50


@click.group("registry")
def registry() -> None:
    """Find versions of models, look at them, name, tag, verify and retire them."""


for _command in (verify, *CHANGES):
    registry.add_command(_command)


@registry.command("list")
@click.option("--model", default="", help="Only versions of this model.")
@click.option("--text", default="", help="Only where model id, version or metadata have this part.")
@click.option("--alias", default="", help="Only versions that this alias points at.")
@click.option("--tag", type=Pair(value_needed=False), help="Only versions with this tag.")
@click.option("--archived", is_flag=True, help="Archived versions as well.")
@click.option(
    "--limit",
    default=_MOST_VERSIONS,
    show_default=True,
    help="Most versions.",
    type=click.IntRange(1),
)
@form_option("table", "json", "csv")
@click.pass_obj
def list_versions(
    settings: Settings,
    model: str,
    text: str,
    alias: str,
    tag: tuple[str, str | None] | None,
    archived: bool,
    limit: int,
    form: str,
) -> None:
    """List registered versions, newest first, as ClickHouse has them."""
    from modeltrail.infra.cli.reading import reading
    from modeltrail.infra.cli.registry_tables import LIST_COLUMNS, list_row
    from modeltrail.infra.cli.rows import write_rows
    from modeltrail.sinks.queries.registry_versions import search_versions

    with reading(settings.clickhouse) as client:
        found = search_versions(
            client,
            text=text,
            model_id=model or None,
            alias=alias or None,
            tag=tag,
            include_archived=archived,
            limit=limit,
        )
    write_rows(form, LIST_COLUMNS, [list_row(row) for row in found], sys.stdout)


@registry.command("show")
@click.argument("model")
@click.argument("version", required=False)
@click.option("--at", type=Moment(), help="As the registry stood then: 2026-07-01T12:00:00Z.")
@form_option("table", "json")
@click.pass_obj
def show(settings: Settings, model: str, version: str | None, at: int | None, form: str) -> None:
    """Show a version of a model, or what an alias names: signature, lineage, aliases, tags."""
    from modeltrail.infra.cli.registry_tables import as_json, details
    from modeltrail.infra.cli.rows import write_object, write_rows

    with opened(settings) as reader:
        source = reader if at is None else reader.registry_at(at)
        found = required(source, model, version)
        tags = source.tags(model)
    if form == "json":
        write_object({**as_json(found), "model_tags": tags}, sys.stdout)
        return
    of_model = {f"tag of the model {name}": value for name, value in tags.items()}
    write_rows(form, ("what", "value"), list({**details(found), **of_model}.items()), sys.stdout)


@registry.command("history")
@click.argument("model")
@form_option("table", "json", "csv")
@click.pass_obj
def history(settings: Settings, model: str, form: str) -> None:
    """Show who changed what of a model, when and why, the oldest first."""
    from modeltrail.infra.cli.registry_tables import HISTORY_COLUMNS, history_rows
    from modeltrail.infra.cli.rows import write_rows

    with opened(settings) as reader:
        required(reader, model, None)
        write_rows(form, HISTORY_COLUMNS, history_rows(reader.history(model)), sys.stdout)


@registry.command("diff")
@click.argument("model")
@click.argument("v1")
@click.argument("v2")
@form_option("table", "json", "csv")
@click.pass_obj
def diff(settings: Settings, model: str, v1: str, v2: str, form: str) -> None:
    """Show what differs between two versions or aliases of a model."""
    from modeltrail.infra.cli.registry_tables import DIFF_COLUMNS, difference
    from modeltrail.infra.cli.rows import write_rows

    with opened(settings) as reader:
        rows = difference(required(reader, model, v1), required(reader, model, v2))
    write_rows(form, DIFF_COLUMNS, rows, sys.stdout)
