"""Says why a deployment cannot be named so; every message names the next step."""

from modeltrail.schemas.errors import ModeltrailError


class NoSuchDeployment(ModeltrailError, KeyError):
    """No deployment has that id: see which there are with `modeltrail deployments list`."""

    __str__ = Exception.__str__


class AmbiguousDeployment(ModeltrailError):
    """Several deployments have ids that begin so: give more of the id."""
