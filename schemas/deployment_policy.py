"""Answers what a deployment must pass, as a policy: people write YAML, facts carry canonical JSON.

    performance: {max_latency_ratio: 1.05}
    ab_test:
      share_percent: 20
      guardrails:
        - {metric: faces_unmasked, direction: LOWER, margin: 0.1}
    production: {shares_percent: [5, 25, 50, 100], hold_s: 300, alias: champion}

What is left out has a default; `schemas/policies/deployment.schema.json` is for editors.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.offline_policy import (
    DATA_QUALITY,
    ETHICS,
    FEWEST_RUNS,
    PERFORMANCE,
    STAGING,
    VALIDATION,
    DataQualityPolicy,
    EthicsPolicy,
    PerformancePolicy,
    Risk,
    StagingPolicy,
    Statistic,
    ValidationPolicy,
)
from modeltrail.schemas.policy_kinds import Kind, optional, section, setting
from modeltrail.schemas.traffic_policy import (
    AB_TEST,
    PRODUCTION,
    AbTestPolicy,
    Better,
    Goal,
    Guardrail,
    OnInconclusive,
    ProductionPolicy,
    share_of_percent,
)
from modeltrail.schemas.yaml_places import NotYaml, Place, Reader, root_of

__all__ = [
    "FEWEST_RUNS",
    "AbTestPolicy",
    "Better",
    "DataQualityPolicy",
    "DeploymentPolicy",
    "EthicsPolicy",
    "Goal",
    "Guardrail",
    "OnInconclusive",
    "PerformancePolicy",
    "PolicyInvalid",
    "ProductionPolicy",
    "Risk",
    "StagingPolicy",
    "Statistic",
    "ValidationPolicy",
    "performance_settings",
    "policy_from_yaml",
    "policy_json",
    "policy_of",
    "policy_schema",
    "settings_json",
    "share_of_percent",
    "validation_settings",
]


class PolicyInvalid(ModeltrailError, ValueError):
    """The policy cannot be used: each line of the message says where, why and what to do."""


@dataclass(frozen=True, slots=True)
class DeploymentPolicy:
    """What a deployment must pass, step by step."""

    validation: ValidationPolicy = field(
        default_factory=ValidationPolicy,
        metadata={"kind": VALIDATION, "doc": "checks of the file, in a limited subprocess"},
    )
    performance: PerformancePolicy = field(
        default_factory=PerformancePolicy,
        metadata={"kind": PERFORMANCE, "doc": "latency beside the version in production"},
    )
    data_quality: DataQualityPolicy | None = setting(
        None, optional(DATA_QUALITY), "the reference profile; null: not looked at"
    )
    ethics: EthicsPolicy | None = setting(
        None, optional(ETHICS), "the newest assessment; null: not looked at"
    )
    staging: StagingPolicy = field(
        default_factory=StagingPolicy,
        metadata={"kind": STAGING, "doc": "nodes that load it before production"},
    )
    ab_test: AbTestPolicy | None = setting(None, optional(AB_TEST), "the trial; null: none")
    production: ProductionPolicy = field(
        default_factory=ProductionPolicy,
        metadata={"kind": PRODUCTION, "doc": "shares of traffic, rollback and watch"},
    )


_POLICY = section(DeploymentPolicy)


class _PlacedReader(Reader):
    """Complains with line and column."""

    def complain(self, place: Place, problem: str) -> None:
        about = f"{place.path}: " if place.path else ""
        self.problems.append(f"line {place.line}, column {place.column}: {about}{problem}")


def policy_from_yaml(yaml_text: str) -> DeploymentPolicy:
    """The policy that a person wrote; an empty text has every default.

    Raises:
        PolicyInvalid: everything that is wrong, with line, column, setting and the next step.
    """
    policy: DeploymentPolicy = _read(_POLICY, yaml_text, DeploymentPolicy)
    return policy


def policy_of(policy_json: str) -> DeploymentPolicy:
    """The policy that a fact carries.

    Raises:
        PolicyInvalid: as `policy_from_yaml`: somebody else wrote the fact.
    """
    return policy_from_yaml(policy_json)


def policy_json(policy: DeploymentPolicy) -> str:
    """The same policy as canonical JSON: every default filled in, keys sorted, no spaces."""
    return settings_json(policy)


def settings_json(settings: Any) -> str:
    """A policy or one section of it as canonical JSON."""
    return json.dumps(
        asdict(settings), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def validation_settings(text_of_json: str) -> ValidationPolicy:
    """The settings that a ValidationRequested carries; raises PolicyInvalid."""
    settings: ValidationPolicy = _read(VALIDATION, text_of_json, ValidationPolicy)
    return settings


def performance_settings(text_of_json: str) -> PerformancePolicy:
    """The settings that a BenchmarkRequested carries; raises PolicyInvalid."""
    settings: PerformancePolicy = _read(PERFORMANCE, text_of_json, PerformancePolicy)
    return settings


def policy_schema() -> dict[str, Any]:
    """The JSON Schema of a policy, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Deployment policy of modeltrail",
        **_POLICY.schema,
    }


def _read(kind: Kind, yaml_text: str, default: type[Any]) -> Any:
    reader = _PlacedReader()
    try:
        root = root_of(yaml_text)
    except NotYaml as error:
        raise PolicyInvalid(str(error)) from error
    except RecursionError as error:
        raise PolicyInvalid("the policy is nested too deeply: write it as in the README") from error
    if root is None or root.is_null:
        return default()
    read = kind.read(reader, root)
    if reader.problems:
        raise PolicyInvalid("\n".join(reader.problems))
    return read
