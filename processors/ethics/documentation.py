"""Answers what of a version is written down: its metadata, its lineage and its signature."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Of each item the names under which metadata may hold it.
_METADATA: Mapping[str, tuple[str, ...]] = {
    "description": ("description", "summary"),
    "intended_use": ("intended_use", "use", "uses"),
    "limitations": ("limitations", "out_of_scope", "risks"),
    "licence": ("licence", "license"),
    "contact": ("contact", "owner", "author", "maintainer"),
    "training_data": ("training_data", "data", "datasets", "dataset"),
    "metrics": ("metrics", "evaluation", "accuracy"),
}


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """What the registry says of a version, as far as an assessment looks at it.

    Attributes:
        metadata: of the registration.
        lineage: run, data, code and environment by name; empty or None where they are not known.
        inputs: names of the inputs in the signature.
        outputs: names of the outputs.
    """

    metadata: Mapping[str, Any]
    lineage: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


LINEAGE = ("run_id", "dataset", "dataset_fingerprint", "git_commit", "environment_lock")


def documented(record: ModelRecord) -> dict[str, bool]:
    """What of a version is documented, item by item.

    Source: the sections of Mitchell et al., "Model Cards for Model Reporting", FAT* 2019, and the
    lineage that a registration may carry.
    """
    names = {str(name).lower().replace(" ", "_"): value for name, value in record.metadata.items()}
    found = {
        f"metadata.{item}": any(_says(names.get(each)) for each in accepted)
        for item, accepted in _METADATA.items()
    }
    found |= {f"lineage.{item}": _says(record.lineage.get(item)) for item in LINEAGE}
    found["signature.inputs"] = bool(record.inputs) and all(record.inputs)
    found["signature.outputs"] = bool(record.outputs) and all(record.outputs)
    return found


def _says(value: Any) -> bool:
    return value is not None and value not in ("", [], {}, ()) and str(value).strip() != ""
