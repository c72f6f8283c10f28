"""Reads the deployment policy of a file for a command."""

from pathlib import Path

from modeltrail.schemas.deployment_policy import DeploymentPolicy, PolicyInvalid, policy_from_yaml


def policy_in(file: Path | None) -> DeploymentPolicy:
    """The policy of a YAML file; without a file every default.

    Raises:
        PolicyInvalid: everything that is wrong with it, by line and column.
    """
    if file is None:
        return DeploymentPolicy()
    try:
        return policy_from_yaml(file.read_text(encoding="utf-8"))
    except PolicyInvalid as error:
        lines = str(error).replace("\n", "\n  ")
        raise PolicyInvalid(f"{file} is no policy:\n  {lines}") from error
    except UnicodeDecodeError as error:
        raise PolicyInvalid(f"{file} is not text: {error}; write it in UTF-8") from error
