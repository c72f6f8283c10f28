"""Deployments as people ask for them: begin, cancel, take back, look at and follow."""

from modeltrail.producers.deployments.client import DeploymentClient
from modeltrail.producers.deployments.errors import AmbiguousDeployment, NoSuchDeployment
from modeltrail.producers.deployments.view import (
    DeploymentsView,
    DeploymentView,
    Standing,
    StepView,
)

__all__ = [
    "AmbiguousDeployment",
    "DeploymentClient",
    "DeploymentView",
    "DeploymentsView",
    "NoSuchDeployment",
    "Standing",
    "StepView",
]
