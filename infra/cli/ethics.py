"""`modeltrail ethics`: asks how fair, private and transparent a version is; shows the answer."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from modeltrail.infra.cli.form import form_option
from modeltrail.infra.config import Settings

if TYPE_CHECKING:
    from modeltrail.producers.ethics.client import Asked, EthicsClient
    from modeltrail.schemas.assessment_settings import AssessmentSettings
    from modeltrail.schemas.events import EthicsAssessed

F = TypeVar("F", bound=Callable[..., Any])


@click.group("ethics")
def ethics() -> None:
    """Assess how fair, private and transparent a version is, or show the assessment."""


def _data_options(command: F) -> F:
    for option in (
        click.option("--latency", default="", metavar="COLUMN", help="Latency of each row, ms."),
        click.option(
            "--quasi-identifiers", default="", metavar="A,B", help="Columns others may know."
        ),
        click.option(
            "--sensitive", default="", metavar="A,B", help="Columns of consented group labels."
        ),
        click.option("--positive", default="", help="The favourable label; default: 1."),
        click.option("--score", default="", metavar="COLUMN", help="Score, 0.5 is the threshold."),
        click.option("--prediction", default="", metavar="COLUMN", help="Predicted label."),
        click.option("--truth", default="", metavar="COLUMN", help="True label."),
        click.option(
            "--settings",
            "file",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="YAML file that says all that can be said, instead of the options below.",
        ),
    ):
        command = option(command)
    return command


@ethics.command("assess")
@click.argument("model")
@click.argument("version")
@click.argument("data", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_data_options
@click.option("--by", default="", help="Who asks.")
@click.option("--reason", default="", help="Why, for the history.")
@click.option(
    "--timeout", "timeout_s", default=900.0, show_default=True, help="How long to wait, s."
)
@form_option("table", "json")
@click.pass_obj
def assess(
    settings: Settings,
    /,
    model: str,
    version: str,
    data: Path,
    file: Path | None,
    by: str,
    reason: str,
    timeout_s: float,
    form: str,
    **options: str,
) -> None:
    """Assess a version, or what an alias names, on a CSV or Parquet file.

    With --truth but neither --prediction nor --score the registered model is run on the columns
    that are named like its inputs. A worker does it: `modeltrail worker jobs`.
    """
    from modeltrail.infra.cli.registry_access import opened, required
    from modeltrail.producers.ethics.client import EthicsClient

    wanted = _wanted(file, options)
    with opened(settings) as reader:
        registered = required(reader, model, version)
    client = EthicsClient(settings)
    asked = client.ask(
        registered.model_id, registered.version, data, wanted, requested_by=by, reason=reason
    )
    _show(_wait(client, asked, timeout_s), form)


@ethics.command("show")
@click.argument("model")
@click.argument("version", required=False)
@form_option("table", "json")
@click.pass_obj
def show(settings: Settings, model: str, version: str | None, form: str) -> None:
    """Show the newest assessment of a version, or of any version of the model."""
    from modeltrail.producers.ethics.client import EthicsClient

    _show(EthicsClient(settings).newest(model, version), form)


def _wanted(file: Path | None, options: dict[str, str]) -> "AssessmentSettings":
    from modeltrail.schemas.assessment_settings import (
        AssessmentSettings,
        ModelScoring,
        OutcomeColumns,
        PrivacyColumns,
        assessment_settings,
    )

    given = sorted(name for name, value in options.items() if value)
    if file is not None:
        if given:
            raise click.UsageError(f"--settings says all: leave out --{given[0].replace('_', '-')}")
        return assessment_settings(file.read_text())
    if not given:
        raise click.UsageError("say what to look at: --settings FILE, or --truth, --sensitive, …")
    outcome = None
    if options["truth"]:
        outcome = OutcomeColumns(
            truth=options["truth"],
            prediction=options["prediction"],
            score=options["score"],
            positive=options["positive"] or "1",
        )
    elif options["prediction"] or options["score"]:
        raise click.UsageError("predictions need the truth to compare with: give --truth")
    run = outcome is not None and not options["prediction"] and not options["score"]
    return AssessmentSettings(
        outcome=outcome,
        model=ModelScoring() if run else None,
        sensitive=_names(options["sensitive"]),
        latency=options["latency"],
        privacy=PrivacyColumns(quasi_identifiers=_names(options["quasi_identifiers"])),
    )


def _names(joined: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in joined.split(",") if name.strip())


def _wait(client: "EthicsClient", asked: "Asked", timeout_s: float) -> "EthicsAssessed":
    from rich.console import Console

    console = Console(stderr=True)
    request = asked.request
    told = f"assessing {request.model_id} {request.version}"
    if not console.is_terminal:
        click.echo(f"{told}, request {request.event_id.hex()} …", err=True)
        return client.answer_to(asked, timeout_s=timeout_s)
    with console.status(told) as status:
        return client.answer_to(
            asked,
            timeout_s=timeout_s,
            waiting=lambda waited: status.update(f"{told}, {waited:.0f} s"),
        )


def _show(assessed: "EthicsAssessed", form: str) -> None:
    from modeltrail.infra.cli.ethics_report import as_object, write_report
    from modeltrail.infra.cli.rows import write_object

    if form == "json":
        write_object(as_object(assessed), sys.stdout)
    else:
        write_report(assessed, sys.stdout)
