"""Writes what a card says of the version's life: drift, incidents, deployments, and what helped."""

from collections import defaultdict
from typing import cast

from modeltrail.processors.documents.citing import Citations, Cited, moment
from modeltrail.processors.documents.model_dossier import (
    Deployment,
    Incident,
    ModelDossier,
    is_open,
)
from modeltrail.processors.documents.tables import NONE, number, table, text
from modeltrail.schemas.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    AlertState,
    AlertUpdated,
    ChangePointDetected,
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRequested,
    DeploymentRolledBack,
    DeploymentSucceeded,
    DriftMeasured,
    ReferenceProfiled,
    StepCompleted,
)

_MICROS = 1_000_000
_ENDS = (DeploymentSucceeded, DeploymentFailed, DeploymentCancelled, DeploymentRolledBack)


def reference(dossier: ModelDossier, cite: Citations) -> str:
    """What drift is measured against."""
    if dossier.profiled is None:
        return ""
    fact = cast(ReferenceProfiled, dossier.profiled.fact)
    mark = cite.of(dossier.profiled)
    features = len(fact.features)
    return f"Reference: {text(fact.dataset)}, {number(fact.rows)} rows, {features} features {mark}."


def drift(dossier: ModelDossier, cite: Citations) -> str:
    """The newest and the worst distance of each feature from its reference."""
    rows = []
    for (environment, arm), cited in sorted(dossier.drift.items()):
        last = cast(DriftMeasured, cited[-1].fact)
        for feature in last.features:
            having = [
                (each.psi, one)
                for one in cited
                for each in cast(DriftMeasured, one.fact).features
                if each.name == feature.name
            ]
            worst, worst_at = max(having, key=lambda pair: pair[0])
            windows = sum(
                each.drifted
                for one in cited
                for each in cast(DriftMeasured, one.fact).features
                if each.name == feature.name
            )
            rows.append(
                (
                    text(f"{environment}, {arm}"),
                    text(feature.name),
                    f"{number(feature.psi)} {cite.of(cited[-1])}",
                    f"{number(worst)} {cite.of(worst_at)}",
                    f"{windows} of {len(having)} {cite.of(*(one for _, one in having))}",
                )
            )
    heads = ("Where", "Feature", "PSI now", "PSI at its worst", "Windows drifted")
    return table(heads, rows)


def change_points(dossier: ModelDossier, cite: Citations) -> str:
    """When the mean of a metric changed."""
    lines = []
    for cited in dossier.changes:
        fact = cast(ChangePointDetected, cited.fact)
        side = "worse" if fact.worse else "better"
        lines.append(
            f"- {moment(fact.end)}: the mean of {text(fact.metric)} changed for the {side}, from "
            f"{number(fact.mean_before)} to {number(fact.mean_after)} {cite.of(cited)}"
        )
    return "\n".join(lines)


def incidents(dossier: ModelDossier, cite: Citations) -> str:
    """Every alert of the version: when, how bad, how long."""
    rows = []
    for incident in dossier.incidents.values():
        raised = incident.newest(AlertRaised)
        if raised is None:
            continue
        fact = cast(AlertRaised, raised.fact)
        worst = _worst(incident)
        ended = incident.newest(AlertResolved)
        until = (
            f"{number((ended.fact.occurred_at - fact.opened_at) / _MICROS)} s {cite.of(ended)}"
            if ended
            else "open"
            if is_open(incident)
            else NONE
        )
        rows.append(
            (
                f"{moment(fact.occurred_at)} {cite.of(raised)}",
                text(fact.rule),
                text(fact.severity),
                f"{number(cast(AlertState, worst.fact).value)} {cite.of(worst)}",
                number(fact.threshold),
                until,
            )
        )
    return table(("Raised", "Rule", "Severity", "Worst value", "Limit", "Lasted"), rows)


def troubleshooting(dossier: ModelDossier, cite: Citations) -> str:
    """What was seen when a rule fired, and what people wrote when they looked after it."""
    by_rule: dict[str, list[Incident]] = defaultdict(list)
    for incident in dossier.incidents.values():
        if (raised := incident.newest(AlertRaised)) is not None:
            by_rule[raised.fact.rule].append(incident)
    blocks = []
    for rule, found in sorted(by_rule.items()):
        newest = found[-1].newest(AlertRaised)
        lines = [
            f"**{text(rule)}** fired {len(found)} {'time' if len(found) == 1 else 'times'} "
            f"{cite.of(*(incident.newest(AlertRaised) for incident in found))}.",
            f"Last seen: {text(newest.fact.summary)} {cite.of(newest)}",
        ]
        for incident in found:
            for cited in incident.acknowledged:
                fact = cast(AlertAcknowledged, cited.fact)
                if fact.comment:
                    lines.append(f"What helped or was found: {text(fact.comment)} {cite.of(cited)}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def deployments(dossier: ModelDossier, cite: Citations) -> str:
    """Every deployment of the version: its steps with their verdicts, and its end."""
    return "\n\n".join(_deployment(each, cite) for each in dossier.deployments.values())


def _deployment(deployment: Deployment, cite: Citations) -> str:
    request = cast(DeploymentRequested, deployment.request.fact)
    head = (
        f"**{moment(request.occurred_at)}** to {text(request.environment)}, asked for by "
        f"{text(request.requested_by or 'unknown')} {cite.of(deployment.request)}"
    )
    rows = []
    for cited in deployment.followed:
        fact = cited.fact
        if isinstance(fact, StepCompleted):
            seconds = (fact.occurred_at - fact.started_at) / _MICROS
            mark = cite.of(cited)
            rows.append(
                (
                    text(fact.step),
                    text(fact.verdict),
                    text(fact.reason),
                    f"{number(seconds)} s {mark}",
                )
            )
        elif isinstance(fact, _ENDS):
            what = type(fact).__name__.removeprefix("Deployment")
            why = text(getattr(fact, "reason", ""))
            rows.append((f"**{what}**", "", why, cite.of(cited)))
    return f"{head}\n\n{table(('Step', 'Verdict', 'Why', 'Took'), rows)}".strip()


def _worst(incident: Incident) -> Cited:
    steps = [step for step in incident.steps if isinstance(step.fact, AlertRaised | AlertUpdated)]
    return max(steps, key=_excess)


def _excess(step: Cited) -> float:
    fact = cast(AlertState, step.fact)
    return abs(fact.value - fact.threshold)
