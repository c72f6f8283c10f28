"""Makes rows of deployments, their steps and the evidence that verdicts rest on."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from textwrap import shorten
from typing import Any

from modeltrail.processors.deployments.evidence import evidence_of
from modeltrail.processors.deployments.judging import judge
from modeltrail.processors.deployments.plan import plan_of
from modeltrail.producers.deployments import DeploymentView, StepView
from modeltrail.schemas.deployment_policy import DeploymentPolicy

LIST_COLUMNS = ("id", "model", "version", "to", "standing", "step", "requested", "by", "why")
STEP_COLUMNS = ("step", "share", "verdict", "took", "why")
REJUDGED_COLUMNS = ("step", "then", "now", "why now")
_ID = 8
_MICROS = 1_000_000
_SHARES = 100
_MOST_VALUES = 6
_BRIEF = 60
_NOT_TAKEN = "it did not take place, so nothing says how it would end: deploy it again"


def list_row(each: DeploymentView, *, brief: bool = False) -> tuple[Any, ...]:
    """One deployment; in brief, with a reason that fits a line."""
    asked = each.request
    last = each.steps[-1].started.step if each.steps else ""
    why = str(getattr(each.end, "reason", ""))
    return (
        each.deployment_id.hex()[:_ID],
        asked.model_id,
        asked.version,
        asked.environment,
        str(each.standing),
        str(last),
        _moment(asked.occurred_at),
        asked.requested_by,
        shorten(why, _BRIEF, placeholder=" …") if brief else why,
    )


def head_rows(each: DeploymentView) -> list[tuple[str, str]]:
    """What a deployment is about and how it ended."""
    asked = each.request
    rows = [
        ("id", each.deployment_id.hex()),
        ("model", f"{asked.model_id} {asked.version}"),
        ("environment", asked.environment),
        ("requested", f"{_moment(asked.occurred_at)} by {asked.requested_by or 'unknown'}"),
        ("why", asked.reason),
        ("standing", str(each.standing)),
        ("ended because", str(getattr(each.end, "reason", ""))),
        ("policy", asked.policy_json),
    ]
    return [(name, value) for name, value in rows if value]


def step_row(step: StepView) -> tuple[str, ...]:
    """One step."""
    share = "" if step.started.share < 0 else f"{step.started.share / _SHARES:g} %"
    if step.completed is None:
        return str(step.started.step), share, "runs", "", ""
    done = step.completed
    took = f"{(done.occurred_at - done.started_at) / _MICROS:.1f} s"
    return str(done.step), share, str(done.verdict), took, done.reason


def evidence_rows(each: DeploymentView) -> list[tuple[str, str, str]]:
    """The numbers of every step, by the path to each; long lists are cut short."""
    return [
        (str(step.completed.step), path, value)
        for step in each.steps
        if step.completed is not None
        for path, value in _leaves("", evidence_of(step.completed.evidence_json))
    ]


def rejudged_rows(each: DeploymentView, policy: DeploymentPolicy) -> list[tuple[str, ...]]:
    """What each step that ended would come to under a policy, and what it asks for beyond these."""
    ended = [step.completed for step in each.steps if step.completed is not None]
    rows: list[tuple[str, ...]] = []
    for done in ended:
        evidence = evidence_of(done.evidence_json)
        if evidence.keys() <= {"judged"}:
            # It was interrupted before anything was measured: no policy changes that.
            rows.append((str(done.step), str(done.verdict), str(done.verdict), done.reason))
            continue
        again = judge(done.step, evidence, policy)
        rows.append((str(done.step), str(done.verdict), str(again.verdict), again.reason))
    has_champion = any(step.started.baseline_version is not None for step in each.steps)
    asked = dict.fromkeys(planned.step for planned in plan_of(policy, has_champion=has_champion))
    taken = {done.step for done in ended}
    return [*rows, *((str(step), "", "", _NOT_TAKEN) for step in asked if step not in taken)]


def as_json(each: DeploymentView) -> dict[str, Any]:
    """The whole deployment with its evidence."""
    return {
        **dict(head_rows(each)),
        "policy": json.loads(each.request.policy_json),
        "steps": [
            {
                **dict(zip(STEP_COLUMNS, step_row(step), strict=True)),
                "evidence": evidence_of(step.completed.evidence_json) if step.completed else None,
            }
            for step in each.steps
        ],
    }


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name in value:
            yield from _leaves(f"{path}.{name}" if path else str(name), value[name])
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for place, each in enumerate(value):
            yield from _leaves(f"{path}[{place}]", each)
    elif isinstance(value, list) and len(value) > _MOST_VALUES:
        shown = ", ".join(map(_short, value[:_MOST_VALUES]))
        yield path, f"{shown}, … ({len(value)} values)"
    else:
        yield path, ", ".join(map(_short, value)) if isinstance(value, list) else _short(value)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros / _MICROS, UTC).strftime("%Y-%m-%d %H:%M:%S")
