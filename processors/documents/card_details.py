"""Writes what a card says of the model itself: its origin, what it takes, how to run it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from modeltrail.processors.documents.citing import Citations, Source, moment
from modeltrail.processors.documents.model_dossier import ModelDossier
from modeltrail.processors.documents.tables import code, number, table, text
from modeltrail.schemas.events import ModelRegistered, ModelTagSet, OpsetImport, Tensor

#: What a dimension without a number becomes in the example; the first one is the batch.
EXAMPLE_SIDE = 64
_NUMPY = MappingProxyType({"FLOAT": "float32", "DOUBLE": "float64", "BOOL": "bool_"})


@dataclass(frozen=True, slots=True)
class IndexedResult:
    """One metric of the model index in the head of a card, and the events that it comes from."""

    name: str
    value: float
    dataset: str
    source: Source


def registration(dossier: ModelDossier) -> ModelRegistered | None:
    """The fact that registered the version."""
    return cast(ModelRegistered, dossier.registered.fact) if dossier.registered else None


def metadata(dossier: ModelDossier) -> Mapping[str, Any]:
    """What was said of the version when it was registered."""
    fact = registration(dossier)
    found = json.loads(fact.metadata_json) if fact else {}
    return found if isinstance(found, dict) else {}


def said(dossier: ModelDossier, cite: Citations, name: str) -> str:
    """What the registration's metadata says under a name; nothing where it has none."""
    value = metadata(dossier).get(name, "")
    if not value or dossier.registered is None:
        return ""
    return f"{text(value)} {cite.of(dossier.registered)}"


def details(dossier: ModelDossier, cite: Citations) -> str:
    """Identity, lineage, names and tags of the version."""
    fact = registration(dossier)
    if fact is None or dossier.registered is None:
        return ""
    mark = cite.of(dossier.registered)
    rows = [
        ("Registered", f"{moment(fact.occurred_at)} by {text(fact.requested_by or 'unknown')}"),
        ("SHA-256", f"`{fact.artifact_sha256.hex()}`"),
        ("Size", f"{number(fact.artifact_size)} bytes"),
        (
            "Operator sets",
            text(", ".join(_opset(opset) for opset in fact.opsets)),
        ),
        ("Run", code(fact.run_id)),
        ("Data set", text(fact.dataset)),
        ("Data fingerprint", code(fact.dataset_fingerprint)),
        ("Commit", code(fact.git_commit)),
        ("Environment lock", code(fact.environment_lock)),
        (
            "Derived from",
            text(
                f"{fact.parent_model_id} {fact.parent_version or ''}"
                if fact.parent_model_id
                else ""
            ),
        ),
        ("Declared metrics", text(", ".join(fact.declared_metrics))),
    ]
    shown = [(name, f"{value} {mark}") for name, value in rows if value]
    shown += [
        (
            f"Alias {text(alias)}",
            f"since {moment(cited.appended_ms * 1000)} {cite.of(cited)}",
        )
        for alias, cited in sorted(dossier.aliases.items())
    ]
    shown += [
        (
            f"Tag {text(name)}",
            f"{text(cast(ModelTagSet, cited.fact).value)} {cite.of(cited)}",
        )
        for name, cited in sorted(dossier.tags.items())
    ]
    for what, cited in (("Archived", dossier.retired), ("Erased", dossier.erased)):
        if cited is not None:
            why = text(getattr(cited.fact, "reason", ""))
            shown.append((what, f"{moment(cited.appended_ms * 1000)} {why} {cite.of(cited)}"))
    return table(("", ""), shown)


def signature(dossier: ModelDossier, cite: Citations) -> str:
    """Inputs and outputs as the file itself says."""
    fact = registration(dossier)
    if fact is None or dossier.registered is None or not fact.tensors:
        return ""
    mark = cite.of(dossier.registered)
    return table(
        ("", "Name", "Type", "Shape"),
        [
            (
                "input" if tensor.is_input else "output",
                code(tensor.name),
                text(tensor.dtype),
                f"{text(' x '.join(tensor.shape))} {mark}",
            )
            for tensor in fact.tensors
        ],
    )


def usage(dossier: ModelDossier) -> str:
    """A program that fetches, verifies and runs the version on zeros."""
    fact = registration(dossier)
    if fact is None:
        return ""
    feeds = ", ".join(_feed(tensor) for tensor in fact.tensors if tensor.is_input)
    return f"""```python
import numpy as np
import onnxruntime
from modeltrail import ModelRegistry

registry = ModelRegistry()
model = registry.get_model({fact.model_id!r}, {fact.version!r})
path = registry.fetch_artifact(model)  # verified by its SHA-256
session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
feeds = {{{feeds}}}
outputs = session.run(None, feeds)
print([output.shape for output in outputs])
```"""


def yaml_block(
    dossier: ModelDossier, results: Sequence[IndexedResult], cite: Citations
) -> dict[str, Any]:
    """The head of the card as Hugging Face's hub reads it.

    Each result of the model index has its event as its `source`. The hub knows no infinite values
    and no NaN: those are in the card's tables only.
    Source: the model card metadata specification of `huggingface_hub`, `ModelCardData`.
    """
    known = metadata(dossier)
    fact = registration(dossier)
    task = str(known.get("task", "other"))
    finite = [each for each in results if math.isfinite(each.value)]
    block: dict[str, Any] = {
        "library_name": "onnx",
        "tags": sorted({"modeltrail", "onnx", *map(str, dossier.tags)}),
        "pipeline_tag": task,
    }
    if licence := known.get("licence") or known.get("license"):
        block["license"] = str(licence)
    if languages := known.get("language"):
        block["language"] = languages
    if fact is not None and fact.dataset:
        block["datasets"] = [fact.dataset]
    if finite:
        block["model-index"] = [
            {
                "name": f"{dossier.model_id} {dossier.version}",
                "results": [
                    {
                        "task": {"type": task},
                        "dataset": {"name": each.dataset, "type": each.dataset},
                        "metrics": [{"type": each.name, "value": each.value, "name": each.name}],
                        "source": {
                            "name": each.source.place.replace("`", ""),
                            "url": f"#event-{cite.number(each.source)}",
                        },
                    }
                    for each in finite
                ],
            }
        ]
    return block


def _feed(tensor: Tensor) -> str:
    shape = tuple(
        int(side) if side.isdigit() else (1 if place == 0 else EXAMPLE_SIDE)
        for place, side in enumerate(tensor.shape)
    )
    if tensor.dtype == "STRING":
        return f"{tensor.name!r}: np.full({shape!r}, '', object)"
    return (
        f"{tensor.name!r}: np.zeros({shape!r}, np.{_NUMPY.get(tensor.dtype, tensor.dtype.lower())})"
    )


def _opset(opset: OpsetImport) -> str:
    return f"{opset.domain or 'ai.onnx'} {opset.version}"
