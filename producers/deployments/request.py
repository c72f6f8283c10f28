"""Answers what people may ask about deployments, before it becomes a fact."""

from modeltrail.schemas.deployment_policy import DeploymentPolicy, policy_from_yaml, policy_json
from modeltrail.schemas.events import (
    DeploymentCancelRequested,
    DeploymentRequested,
    RollbackRequested,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version, check_id, new_event_id
from modeltrail.schemas.registry_names import check_text


def deployment(
    model_id: str,
    version: str,
    policy: DeploymentPolicy | str,
    environment: str,
    by: str,
    reason: str,
    now_us: int,
) -> DeploymentRequested:
    """The fact that somebody asks for a deployment; its event_id is the deployment's.

    Raises:
        InvalidFact: one of the values may not become a fact.
        PolicyInvalid: the policy is YAML with a problem; the message has each with its line.
    """
    checked = policy if isinstance(policy, DeploymentPolicy) else policy_from_yaml(policy)
    return DeploymentRequested(
        event_id=new_event_id(),
        occurred_at=Micros(now_us),
        model_id=ModelId(check_id("model_id", model_id)),
        version=Version(check_id("version", version)),
        environment=check_id("environment", environment),
        policy_json=policy_json(checked),
        requested_by=_who(by),
        reason=check_text("reason", reason),
    )


def cancel(
    deployment_id: EventId, model_id: str, by: str, reason: str, now_us: int
) -> DeploymentCancelRequested:
    """The fact that somebody asks a deployment to stop.

    Raises:
        InvalidFact: one of the values may not become a fact.
    """
    return DeploymentCancelRequested(
        event_id=new_event_id(),
        occurred_at=Micros(now_us),
        deployment_id=deployment_id,
        model_id=ModelId(check_id("model_id", model_id)),
        requested_by=_who(by),
        reason=check_text("reason", reason),
    )


def rollback(
    model_id: str, environment: str, version: str | None, by: str, reason: str, now_us: int
) -> RollbackRequested:
    """The fact that somebody asks for an earlier version.

    Raises:
        InvalidFact: one of the values may not become a fact.
    """
    return RollbackRequested(
        event_id=new_event_id(),
        occurred_at=Micros(now_us),
        model_id=ModelId(check_id("model_id", model_id)),
        environment=check_id("environment", environment),
        version=None if version is None else Version(check_id("version", version)),
        requested_by=_who(by),
        reason=check_text("reason", reason),
    )


def _who(by: str) -> str:
    return check_id("requested_by", by) if by else ""
