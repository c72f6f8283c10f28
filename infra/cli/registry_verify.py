"""`modeltrail registry verify`: compares what is stored with what was registered."""

import sys
from typing import TYPE_CHECKING

import click

from modeltrail.infra.cli.form import form_option
from modeltrail.infra.cli.registry_access import opened, required
from modeltrail.infra.config import Settings

if TYPE_CHECKING:
    from modeltrail.producers.registry.client import ModelRegistry
    from modeltrail.producers.registry.fold import RegisteredModel

_FAILED = "failed"


@click.command("verify")
@click.argument("model")
@click.argument("version", required=False)
@form_option("table", "json", "csv")
@click.pass_obj
def verify(settings: Settings, model: str, version: str | None, form: str) -> None:
    """Read stored artifacts and compare them with what was registered; default: all of a model.

    The exit code is 1 where one is missing or has other bytes.
    """
    from modeltrail.infra.cli.rows import write_rows

    with opened(settings) as registry:
        chosen = [required(registry, model, version)]
        if version is None:
            chosen = registry.versions(model)
        rows = [_verified(registry, each) for each in chosen]
    write_rows(form, ("version", "artifact", "detail"), rows, sys.stdout)
    if any(found == _FAILED for _, found, _ in rows):
        sys.exit(1)


def _verified(registry: "ModelRegistry", model: "RegisteredModel") -> tuple[str, str, str]:
    from modeltrail.producers.errors import ArtifactCorrupt, ArtifactNotFound

    if model.erased:
        return model.version, "erased", ""
    try:
        registry.verify(model.model_id, model.version)
    except (ArtifactCorrupt, ArtifactNotFound) as error:
        return model.version, _FAILED, str(error)
    return model.version, "verified", model.artifact_sha256.hex()
