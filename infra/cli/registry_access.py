"""Opens the registry for one command, and finds the version that it is about."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from modeltrail.infra.config import Settings

if TYPE_CHECKING:
    from modeltrail.producers.registry.client import ModelRegistry
    from modeltrail.producers.registry.fold import RegisteredModel
    from modeltrail.producers.registry.snapshot import RegistrySnapshot


@contextmanager
def opened(settings: Settings) -> "Iterator[ModelRegistry]":
    """The registry, closed at the end of the block."""
    from modeltrail.producers.registry.client import ModelRegistry

    with closing(ModelRegistry(settings)) as registry:
        yield registry


def required(
    source: "ModelRegistry | RegistrySnapshot", model: str, version: str | None
) -> "RegisteredModel":
    """The version of that name or alias, by default the latest.

    Raises:
        UnknownModel: there is none.
    """
    from modeltrail.producers.errors import UnknownModel

    found = source.get_model(model, version)
    if found is None:
        named = f" {version!r:.80}" if version else ""
        raise UnknownModel(
            f"{model[:80]!r}{named} is not registered: see what is with `modeltrail registry list`"
        )
    return found
