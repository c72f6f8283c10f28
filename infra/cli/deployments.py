"""`modeltrail deployments`: list, look at, follow, cancel, take back, judge again."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console

from modeltrail.infra.cli.deployment_lines import ENDS, lines_until_end
from modeltrail.infra.cli.form import form_option
from modeltrail.infra.cli.policy_file import policy_in
from modeltrail.infra.cli.who_and_why import who_and_why
from modeltrail.infra.config import Settings
from modeltrail.schemas.events import DeploymentRequestRefused, DeploymentRolledBack, Fact

_DEPLOYMENT = "deployment_id"


@click.group("deployments")
def deployments() -> None:
    """List, show, follow, cancel, roll back or judge deployments again; ids may be cut short."""


@deployments.command("list")
@click.option("--model", default="", help="Only deployments of this model.")
@form_option("table", "json", "csv")
@click.pass_obj
def list_deployments(settings: Settings, model: str, form: str) -> None:
    """List deployments, the oldest first, as the log has them."""
    from modeltrail.infra.cli.deployment_tables import LIST_COLUMNS, list_row
    from modeltrail.infra.cli.rows import write_rows
    from modeltrail.producers.deployments import DeploymentClient

    found = DeploymentClient(settings).list(model)
    rows = [list_row(each, brief=form == "table") for each in found]
    write_rows(form, LIST_COLUMNS, rows, sys.stdout)


@deployments.command("show")
@click.argument(_DEPLOYMENT)
@click.option("--evidence", is_flag=True, help="With the numbers that each verdict rests on.")
@form_option("table", "json")
@click.pass_obj
def show(settings: Settings, deployment_id: str, evidence: bool, form: str) -> None:
    """Show a deployment: each step, its verdict and why."""
    from modeltrail.infra.cli.deployment_tables import (
        STEP_COLUMNS,
        as_json,
        evidence_rows,
        head_rows,
        step_row,
    )
    from modeltrail.infra.cli.rows import write_object, write_rows
    from modeltrail.producers.deployments import DeploymentClient

    found = DeploymentClient(settings).view().find(deployment_id)
    if form == "json":
        write_object(as_json(found), sys.stdout)
        return
    write_rows("table", ("", "deployment"), head_rows(found), sys.stdout)
    click.echo()
    write_rows("table", STEP_COLUMNS, [step_row(step) for step in found.steps], sys.stdout)
    if evidence:
        click.echo()
        write_rows("table", ("step", "number", "value"), evidence_rows(found), sys.stdout)


@deployments.command("watch")
@click.argument(_DEPLOYMENT)
@click.pass_obj
def watch(settings: Settings, deployment_id: str) -> None:
    """Print each step of a deployment as it happens, from its beginning to its end."""
    from modeltrail.producers.deployments import DeploymentClient

    client = DeploymentClient(settings)
    console = Console(highlight=False)
    asked = client.view().find(deployment_id).deployment_id
    try:
        for line, _ in lines_until_end(client.follow(asked)):
            console.print(line, soft_wrap=True)
    except KeyboardInterrupt:
        return


@deployments.command("cancel")
@click.argument(_DEPLOYMENT)
@who_and_why
@click.pass_obj
def cancel(settings: Settings, deployment_id: str, by: str, reason: str) -> None:
    """Stop a deployment where it is; production is as it was before."""
    from modeltrail.producers.deployments import DeploymentClient

    client = DeploymentClient(settings)
    _answered(client.follow(client.cancel(deployment_id, by, reason)))


@deployments.command("rollback")
@click.argument("model")
@click.argument("version", required=False)
@click.option("--environment", default="production", show_default=True, help="Where.")
@who_and_why
@click.pass_obj
def rollback(
    settings: Settings, model: str, version: str | None, environment: str, by: str, reason: str
) -> None:
    """Give all traffic to an earlier version at once: by default the one before the present one."""
    from modeltrail.producers.deployments import DeploymentClient

    client = DeploymentClient(settings)
    asked = client.rollback(model, environment, version, by, reason)
    # A deployment under way is cancelled first; that is not yet the answer.
    _answered(client.follow(asked), (DeploymentRolledBack, DeploymentRequestRefused))


@deployments.command("rejudge")
@click.argument(_DEPLOYMENT)
@click.option(
    "--policy",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The policy to judge by; by default the one of then.",
)
@form_option("table", "json")
@click.pass_obj
def rejudge(settings: Settings, deployment_id: str, file: Path | None, form: str) -> None:
    """Judge the evidence of a deployment again, under another policy; nothing is changed."""
    from modeltrail.infra.cli.deployment_tables import REJUDGED_COLUMNS, rejudged_rows
    from modeltrail.infra.cli.rows import write_rows
    from modeltrail.producers.deployments import DeploymentClient
    from modeltrail.schemas.deployment_policy import policy_of

    found = DeploymentClient(settings).view().find(deployment_id)
    policy = policy_of(found.request.policy_json) if file is None else policy_in(file)
    write_rows(form, REJUDGED_COLUMNS, rejudged_rows(found, policy), sys.stdout)


def _answered(facts: Iterable[Fact | None], ends: tuple[type[Fact], ...] = ENDS) -> None:
    """Print the answer to a request; the command ends with 1 where it was refused."""
    console = Console(highlight=False)
    for line, fact in lines_until_end(facts, ends):
        console.print(line, soft_wrap=True)
        if isinstance(fact, DeploymentRequestRefused):
            raise SystemExit(1)
