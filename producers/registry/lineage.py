"""Answers where a version comes from: run, data, code, environment and parent model."""

from dataclasses import dataclass, fields
from typing import Any

from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import ModelRegistered
from modeltrail.schemas.ids import ModelId, RunId, Version, check_id


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a version was made from; everything may be left out.

    Attributes:
        run_id: the experiment run that made it.
        dataset: name of the data set that it was trained on.
        dataset_fingerprint: its fingerprint: a SHA-256 in hex, a version, a commit.
        git_commit: commit of the code that made it.
        environment_lock: fingerprint of the environment: SHA-256 of its lock file, in hex.
        parent: model id and version that it was made from.
    """

    run_id: str | None = None
    dataset: str = ""
    dataset_fingerprint: str = ""
    git_commit: str = ""
    environment_lock: str = ""
    parent: tuple[str, str] | None = None


def lineage_fields(lineage: Lineage | None) -> dict[str, Any]:
    """The lineage as fields of a registration request.

    Raises:
        InvalidFact: one of the values may not become a fact.
    """
    lineage = lineage or Lineage()
    for field in fields(lineage):
        value = getattr(lineage, field.name)
        if field.name != "parent" and value not in ("", None):
            check_id(field.name, value)
    parent_model, parent_version = _parent(lineage.parent)
    return {
        "run_id": RunId(lineage.run_id) if lineage.run_id else None,
        "dataset": lineage.dataset,
        "dataset_fingerprint": lineage.dataset_fingerprint,
        "git_commit": lineage.git_commit,
        "environment_lock": lineage.environment_lock,
        "parent_model_id": parent_model,
        "parent_version": parent_version,
    }


def lineage_of(fact: ModelRegistered) -> Lineage:
    """The lineage that a registration came with."""
    parent = None
    if fact.parent_model_id is not None and fact.parent_version is not None:
        parent = (str(fact.parent_model_id), str(fact.parent_version))
    return Lineage(
        run_id=fact.run_id,
        dataset=fact.dataset,
        dataset_fingerprint=fact.dataset_fingerprint,
        git_commit=fact.git_commit,
        environment_lock=fact.environment_lock,
        parent=parent,
    )


def _parent(parent: Any) -> tuple[ModelId | None, Version | None]:
    if parent is None:
        return None, None
    if not isinstance(parent, tuple | list) or len(parent) != 2:
        raise InvalidFact(f"parent is {parent!r:.80}: give a model id and a version")
    return (
        ModelId(check_id("parent model", parent[0])),
        Version(check_id("parent version", parent[1])),
    )
