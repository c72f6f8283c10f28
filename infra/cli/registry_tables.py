"""Shows versions of a model, what differs between two, and what happened to them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from modeltrail.infra.cli.rows import plain
from modeltrail.schemas.ids import Micros

if TYPE_CHECKING:
    from modeltrail.producers.registry.changes import RegistryChange
    from modeltrail.producers.registry.fold import RegisteredModel
    from modeltrail.schemas.events import Tensor
    from modeltrail.sinks.queries.registry_versions import VersionRow

LIST_COLUMNS = (
    *("model_id", "version", "aliases", "tags", "state", "size", "registered_at", "requested_by"),
)
HISTORY_COLUMNS = ("at", "what", "version", "name", "value", "by", "reason")
_NEVER_SHARED = ("version", "artifact")
DIFF_COLUMNS = ("what", "before", "after")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def list_row(row: "VersionRow") -> tuple[Any, ...]:
    """One row of the list."""
    state = _state(row.archived, row.erased)
    return (
        *(row.model_id, row.version, row.aliases, row.tags, state, row.artifact_size),
        *(row.registered_at, row.requested_by),
    )


def details(model: "RegisteredModel") -> dict[str, Any]:
    """Everything that is known of a version, a line each; what is not said is left out."""
    lineage = model.lineage
    parent = lineage.parent and " ".join(lineage.parent)
    known = {
        "model": model.model_id,
        "version": model.version,
        "state": _state(model.archived, model.erased),
        "aliases": ", ".join(model.aliases),
        "registered": time_of(model.registered_at),
        "requested by": model.requested_by,
        "artifact": model.artifact_uri,
        "sha256": model.artifact_sha256.hex(),
        "size": model.artifact_size,
        **{f"{_side(each)} {each.name}": _type(each) for each in model.tensors},
        **{f"opset {each.domain or 'ai.onnx'}": each.version for each in model.opsets},
        "run": lineage.run_id,
        "dataset": lineage.dataset,
        "dataset fingerprint": lineage.dataset_fingerprint,
        "git commit": lineage.git_commit,
        "environment lock": lineage.environment_lock,
        "parent": parent,
        "declared metrics": ", ".join(model.declared_metrics),
        **{f"metadata {name}": plain(value) for name, value in model.metadata.items()},
        **{f"tag {name}": value for name, value in model.tags.items()},
    }
    return {name: value for name, value in known.items() if value not in ("", None)}


def as_json(model: "RegisteredModel") -> dict[str, Any]:
    """A version as one JSON object, with the fields that the SDK gives them."""
    lineage = {name: getattr(model.lineage, name) for name in model.lineage.__dataclass_fields__}
    named = {name: getattr(model, name) for name in model.__dataclass_fields__}
    return {
        **{name: plain(value) for name, value in named.items()},
        "registered_at": plain(time_of(model.registered_at)),
        "tensors": [
            {"is_input": each.is_input, "name": each.name, "dtype": each.dtype}
            | {"shape": list(each.shape)}
            for each in model.tensors
        ],
        "opsets": {each.domain or "ai.onnx": each.version for each in model.opsets},
        "lineage": {name: plain(value) for name, value in lineage.items()},
    }


def difference(before: "RegisteredModel", after: "RegisteredModel") -> list[tuple[Any, ...]]:
    """What two versions do not share: its name, and both values; None: not there."""
    old, new = details(before), details(after)
    names = [*old, *(name for name in new if name not in old)]
    return [
        (name, old.get(name), new.get(name))
        for name in names
        if name not in _NEVER_SHARED and old.get(name) != new.get(name)
    ]


def history_rows(changes: "Iterable[RegistryChange]") -> list[tuple[Any, ...]]:
    """A row a step."""
    return [
        (time_of(each.at), each.what, each.version, each.name, each.value, each.by, each.reason)
        for each in changes
    ]


def time_of(at: Micros) -> datetime:
    """A time in UTC, to the microsecond."""
    return _EPOCH + timedelta(microseconds=at)


def _state(archived: bool, erased: bool) -> str:
    if erased:
        return "erased"
    return "archived" if archived else "in use"


def _side(tensor: "Tensor") -> str:
    return "input" if tensor.is_input else "output"


def _type(tensor: "Tensor") -> str:
    return f"{tensor.dtype} [{', '.join(tensor.shape)}]" if tensor.dtype else "no tensor"
