"""Refuses what was erased: its bytes may still lie somewhere, and must not be used."""

from modeltrail.producers.errors import ArtifactErased
from modeltrail.producers.registry.fold import RegisteredModel


def require_not_erased(model: RegisteredModel) -> None:
    """Refuse a version whose artifact was erased.

    Raises:
        ArtifactErased: it was.
    """
    if model.erased:
        raise ArtifactErased(
            f"the artifact of {model.model_id[:80]!r} {model.version} was erased: use another "
            "version, or register the file anew"
        )
