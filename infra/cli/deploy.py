"""`modeltrail deploy`: asks that a version go through its gates, and shows how it goes."""

from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from modeltrail.infra.cli.deployment_lines import lines_until_end
from modeltrail.infra.cli.policy_file import policy_in
from modeltrail.infra.cli.who_and_why import who_and_why
from modeltrail.infra.config import Settings
from modeltrail.schemas.deployment_policy import DeploymentPolicy
from modeltrail.schemas.events import DeploymentSucceeded


@click.command("deploy")
@click.argument("model")
@click.argument("version")
@click.option(
    "--policy",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="What it must pass, in YAML; by default every default.",
)
@click.option("--environment", default="production", show_default=True, help="Where to.")
@click.option(
    "--golden",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="An .npz with arrays input:NAME and output:NAME that the model must reproduce.",
)
@click.option("--check", is_flag=True, help="Only check the policy; nothing is asked for.")
@click.option("--detach", is_flag=True, help="Do not wait; the id is printed.")
@who_and_why
@click.pass_obj
def deploy(
    settings: Settings,
    model: str,
    version: str,
    file: Path | None,
    environment: str,
    golden: Path | None,
    check: bool,
    detach: bool,
    by: str,
    reason: str,
) -> None:
    """Take a version, or what an alias names, through its gates and into an environment.

    Each gate is shown as it ends. Ctrl-C stops the showing, not the deployment. The command ends
    with 1 where the version did not get all traffic.
    """
    from modeltrail.producers.deployments import DeploymentClient
    from modeltrail.producers.errors import UnknownModel
    from modeltrail.producers.registry.reader import RegistryReader

    policy = policy_in(file)
    if check:
        click.echo(f"{file or 'the default policy'} can be used")
        return
    found = RegistryReader(settings).get_model(model, version)
    if found is None:
        raise UnknownModel(
            f"{model[:80]!r} {version[:80]} is not registered: "
            "see what is with `modeltrail registry list`"
        )
    if golden is not None:
        policy = _with_golden(policy, settings, golden)
    client = DeploymentClient(settings)
    asked = client.deploy(model, found.version, policy, environment, by, reason)
    if detach:
        click.echo(asked.hex())
        return
    console = Console(highlight=False)
    succeeded = False
    try:
        for line, fact in lines_until_end(client.follow(asked)):
            console.print(line, soft_wrap=True)
            succeeded = isinstance(fact, DeploymentSucceeded)
    except KeyboardInterrupt:
        click.echo(f"  goes on: `modeltrail deployments watch {asked.hex()[:8]}`")
        raise SystemExit(130) from None
    if not succeeded:
        raise SystemExit(1)


def _with_golden(policy: DeploymentPolicy, settings: Settings, file: Path) -> DeploymentPolicy:
    from modeltrail.producers.registry.artifacts import open_artifact_store

    kept = open_artifact_store(settings).put(file)
    golden = replace(
        policy.validation, golden_uri=kept.uri, golden_sha256=kept.sha256.hex(), require_golden=True
    )
    return replace(policy, validation=golden)
