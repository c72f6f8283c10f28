"""`modeltrail demo-deploy`: five versions of a face detector meet gates, traffic and the night."""

import sys
import time
from dataclasses import dataclass

import click
from rich.console import Console

from modeltrail.infra.cli.demo_fleet import DAY, NIGHT, Fleet
from modeltrail.infra.cli.demo_stack import demo_stack
from modeltrail.infra.cli.demo_versions import (
    DIM_BLIND,
    FIRST,
    NIGHT_BLIND,
    SLOW,
    SMALL,
    Variant,
    register_variants,
    unused_model,
)
from modeltrail.infra.cli.deployment_lines import line_of, lines_until_end
from modeltrail.infra.cli.group import config_of
from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.schemas.events import (
    DeploymentFailed,
    DeploymentRolledBack,
    DeploymentStep,
    DeploymentSucceeded,
    Fact,
)
from modeltrail.schemas.ids import EventId

POLICY = """
validation:
  shapes: {input.1: [1, 3, 192, 256]}
performance:
  shapes: {input.1: [1, 3, 192, 256]}
  runs: 240
  max_latency_ratio: 1.5
staging: {minimum_nodes: 1, deadline_s: 30}
ab_test:
  share_percent: 50
  metric: latency_ms
  goal: NOT_WORSE
  margin: 0.5
  frames_per_session: 8
  minimum_sessions: 20
  maximum_sessions: 400
  deadline_s: 60
  guardrails:
    - {metric: detection_score, direction: HIGHER, margin: 0.1, minimum_sessions: 10}
production:
  shares_percent: [25, 100]
  hold_s: 3
  minimum_sessions: 6
  frames_per_session: 8
  guardrails:
    - {metric: detection_score, direction: HIGHER, margin: 0.1, minimum_sessions: 6}
  watch_s: 120
  alias: champion
"""
_BLIND = "BLIND"
_BLIND_BELOW = 0.35
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Act:
    """One deployment of the demo: which variant, and how it should end."""

    title: str
    variant: str
    ends_as: type[Fact]
    at: DeploymentStep | None = None


_ACTS = (
    Act("The first version goes into production", FIRST, DeploymentSucceeded),
    Act("A candidate of another input size", SMALL, DeploymentSucceeded),
    Act("One with planted extra work", SLOW, DeploymentFailed, DeploymentStep.PERFORMANCE),
    Act(
        "One that sees less in dim light, which no golden frame shows",
        DIM_BLIND,
        DeploymentFailed,
        DeploymentStep.AB_TEST,
    ),
    Act("One that is blind at night only", NIGHT_BLIND, DeploymentSucceeded),
)


@click.command("demo-deploy")
@click.pass_context
def demo_deploy(ctx: click.Context) -> None:
    """Show deployments: two are promoted, one of them taken back by an alert; two are refused."""
    console = Console(highlight=False)
    began = time.monotonic()
    with demo_stack(ctx, console) as settings:
        model_id = unused_model(settings)
        variants = register_variants(settings, model_id, console)
        with Fleet(config_of(ctx), model_id, console) as fleet:
            fleet.start(DAY)
            for act in _ACTS:
                last = _play(settings, model_id, act, variants[act.variant], console)
            _night_falls(settings, model_id, fleet, last, console)
        _answer(settings, model_id, console)
    console.print(f"\ndone in {time.monotonic() - began:.0f} s")


def _play(
    settings: Settings, model_id: str, act: Act, variant: Variant, console: Console
) -> EventId:
    from modeltrail.producers.deployments import DeploymentClient
    from modeltrail.schemas.deployment_policy import policy_from_yaml

    console.print(f"\n[bold]{act.title}[/]")
    client = DeploymentClient(settings)
    policy = variant.guarded(policy_from_yaml(POLICY))
    asked = client.deploy(model_id, variant.version, policy, requested_by="demo", reason=act.title)
    last: Fact | None = None
    for line, fact in lines_until_end(client.follow(asked)):
        console.print(line, soft_wrap=True)
        last = fact
    at = getattr(last, "step", None)
    if not isinstance(last, act.ends_as) or (act.at is not None and at is not act.at):
        raise Unavailable(
            f"{variant.version} ended as {type(last).__name__}, not {act.ends_as.__name__}: "
            f"look at `modeltrail deployments show {asked.hex()[:8]} --evidence`"
        )
    return asked


def _night_falls(
    settings: Settings, model_id: str, fleet: Fleet, asked: EventId, console: Console
) -> None:
    """Set the alert, darken the cameras, and wait until the deployment is taken back."""
    from modeltrail.producers.deployments import DeploymentClient

    console.print("\n[bold]Night falls; an alert watches the detection score[/]")
    _set_alert(settings, model_id)
    client = DeploymentClient(settings)
    fleet.start(NIGHT)
    deadline = time.monotonic() + _PATIENCE_S
    for fact in client.follow(asked):
        if isinstance(fact, DeploymentRolledBack):
            console.print(line_of(fact), soft_wrap=True)
            return
        if time.monotonic() > deadline:
            raise Unavailable(
                "no alert took the version back in time: look at `modeltrail alerts list`"
            )


def _set_alert(settings: Settings, model_id: str) -> None:
    from modeltrail.producers.rules.client import RulesClient
    from modeltrail.schemas.events import Direction, Severity, Statistic, ThresholdRule

    rule = ThresholdRule(
        name=_BLIND,
        metric="detection_score",
        statistic=Statistic.VALUE,
        window="",
        direction=Direction.BELOW,
        threshold=_BLIND_BELOW,
        severity=Severity.CRITICAL,
        environment="production",
    )
    RulesClient(settings).set_thresholds(model_id, [rule], set_by="demo")


def _answer(settings: Settings, model_id: str, console: Console) -> None:
    from modeltrail.infra.cli.deployment_tables import LIST_COLUMNS, list_row
    from modeltrail.infra.cli.rows import write_rows
    from modeltrail.producers.deployments import DeploymentClient

    console.print("\n[bold]What became of them[/] (`modeltrail deployments list`)")
    found = DeploymentClient(settings).list(model_id)
    write_rows("table", LIST_COLUMNS, [list_row(each, brief=True) for each in found], sys.stdout)
