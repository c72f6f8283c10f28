"""Says whether the open step is over, and with which evidence and verdict."""

from typing import Any

from modeltrail.processors.deployments.evidence import (
    EvidenceUnreadable,
    evidence_json,
    evidence_of,
)
from modeltrail.processors.deployments.fleet import follows
from modeltrail.processors.deployments.gates.ab_test import decide_ab_test
from modeltrail.processors.deployments.gates.production import decide_production
from modeltrail.processors.deployments.inputs import Tick
from modeltrail.processors.deployments.judgement import Judgement
from modeltrail.processors.deployments.judging import judge
from modeltrail.processors.deployments.state import ModelState, Running
from modeltrail.schemas.events import (
    DeploymentStep,
    EthicsAssessed,
    StepCompleted,
    StepStarted,
    StepVerdict,
)
from modeltrail.schemas.ids import Micros, derived_event_id

Evidence = dict[str, Any]
_SECOND_US = 1_000_000


def concluded(
    state: ModelState, running: Running, started: StepStarted, tick: Tick
) -> StepCompleted | None:
    """The end of the open step, if it is over."""
    late = tick.now_us >= started.deadline_at
    evidence: Evidence | None
    if running.without(started.version, state.erased):
        told = f"{started.version} was erased: deploy another version"
        evidence = {**_so_far(running, started, tick), "unanswered": told}
        return completed(started, evidence, judge(started.step, evidence, running.policy), tick)
    match started.step:
        case DeploymentStep.VALIDATION | DeploymentStep.PERFORMANCE:
            evidence = _answer(running, started, late)
        case DeploymentStep.DATA_QUALITY:
            profile = state.profiles.get(started.version)
            evidence = {"profile": profile, "as_of_us": started.occurred_at}
        case DeploymentStep.ETHICS:
            found = _assessment(state.assessments.get(started.version))
            evidence = {"assessment": found, "as_of_us": started.occurred_at}
        case DeploymentStep.STAGING:
            evidence = _staging(state, running, started, tick)
            if not late and _is_awaited(evidence, running.policy.staging.minimum_nodes):
                return None
        case DeploymentStep.AB_TEST | DeploymentStep.PRODUCTION:
            return _traffic(running, started, tick)
        case _:
            evidence = {}
    if evidence is None:
        return None
    return completed(started, evidence, judge(started.step, evidence, running.policy), tick)


def aborted(running: Running, started: StepStarted, tick: Tick, reason: str) -> StepCompleted:
    """The end of an open step that somebody or something interrupts."""
    evidence = _so_far(running, started, tick)
    return completed(started, evidence, Judgement(StepVerdict.ABORTED, reason, {}), tick)


def completed(
    started: StepStarted, evidence: Evidence, judgement: Judgement, tick: Tick
) -> StepCompleted:
    """The fact that a step ended; its identity is that of its place in the deployment."""
    return StepCompleted(
        event_id=derived_event_id("StepCompleted", started.deployment_id, started.number),
        occurred_at=Micros(tick.now_us),
        deployment_id=started.deployment_id,
        model_id=started.model_id,
        version=started.version,
        environment=started.environment,
        step=started.step,
        number=started.number,
        verdict=judgement.verdict,
        reason=judgement.reason,
        evidence_json=evidence_json({**evidence, "judged": judgement.judged}),
        started_at=started.occurred_at,
    )


def _answer(running: Running, started: StepStarted, late: bool) -> Evidence | None:
    if running.answer is None:
        waited_s = (started.deadline_at - started.occurred_at) / _SECOND_US
        unanswered = f"nobody answered within {waited_s:g} s: start `modeltrail worker jobs`"
        return {"unanswered": unanswered} if late else None
    try:
        evidence = evidence_of(running.answer.evidence_json)
    except EvidenceUnreadable as error:
        return {"unanswered": str(error)[:1000]}
    evidence.pop("judged", None)
    # The seed of what the gate draws: the same at every judgement.
    return {**evidence, "deployment_id": started.deployment_id.hex()}


def _assessment(fact: EthicsAssessed | None) -> Evidence | None:
    if fact is None:
        return None
    return {
        "event_id": fact.event_id.hex(),
        "at_us": fact.occurred_at,
        "data_sha256": fact.data_sha256.hex(),
        "rows": fact.rows,
        "bias_risk": fact.bias_risk,
        "privacy_risk": fact.privacy_risk,
        "transparency_score": fact.transparency_score,
        "not_judged": list(fact.not_judged),
    }


def _staging(state: ModelState, running: Running, started: StepStarted, tick: Tick) -> Evidence:
    wanted = running.policy.staging
    if wanted.environment == started.environment:
        skipped = f"{started.environment} is the staging environment itself"
        return {"nodes": [], "missing": [], "failing": [], "skipped": skipped}
    registered = state.registered.get(started.version)
    nodes, missing, failing, transient, others = [], [], [], [], []
    entry = f"{started.model_id} {started.version}"
    for report in tick.live:
        if report.environment != wanted.environment:
            continue
        if not follows(report, started.model_id):
            others.append(report.node_id)
            continue
        runs = registered is not None and any(
            arm.model_id == started.model_id
            and arm.version == started.version
            and arm.artifact_sha256 == registered.artifact_sha256
            for arm in report.serves
        )
        if runs and registered is not None:
            digest = registered.artifact_sha256.hex()
            nodes.append(
                {"node_id": report.node_id, "verified_sha256": digest, "at_us": report.occurred_at}
            )
            continue
        missing.append(report.node_id)
        if entry in report.failing:
            failing.append(report.node_id)
            if entry in report.transient:
                transient.append(report.node_id)
    return {
        "nodes": nodes,
        "missing": missing,
        "failing": failing,
        "transient": transient,
        "not_following": others,
    }


def _is_awaited(evidence: Evidence, minimum_nodes: int) -> bool:
    """Whether a node may still come or load it, if only once what it failed at has passed."""
    if "skipped" in evidence:
        return False
    final = [node for node in evidence["failing"] if node not in evidence["transient"]]
    if evidence["missing"] != final:
        return True
    return len(evidence["nodes"]) < minimum_nodes and not final


def _traffic(running: Running, started: StepStarted, tick: Tick) -> StepCompleted | None:
    decide = decide_ab_test if started.step is DeploymentStep.AB_TEST else decide_production
    judgement = decide(running.trial, running.policy, _held_s(started, tick))
    if judgement is None:
        return None
    return completed(started, _trial_evidence(running, started, tick), judgement, tick)


def _held_s(started: StepStarted, tick: Tick) -> float:
    return max(tick.now_us - started.occurred_at, 0) / _SECOND_US


def _so_far(running: Running, started: StepStarted, tick: Tick) -> Evidence:
    trial = started.step in (DeploymentStep.AB_TEST, DeploymentStep.PRODUCTION)
    return _trial_evidence(running, started, tick) if trial else {}


def _trial_evidence(running: Running, started: StepStarted, tick: Tick) -> Evidence:
    return {
        "trial": running.trial.evidence(),
        "held_s": _held_s(started, tick),
        "share": started.share,
    }
