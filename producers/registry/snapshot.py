"""Answers what is registered of all models together, as of some moment."""

from collections.abc import Iterator

from modeltrail.producers.registry.changes import RegistryChange
from modeltrail.producers.registry.fold import ModelBook, RegisteredModel
from modeltrail.schemas.events import Fact, ModelRegistered, ReferenceProfiled
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version
from modeltrail.schemas.registry_dialogue import Change


class RegistrySnapshot:
    """Every model as the facts absorbed so far say."""

    def __init__(self) -> None:
        self._books: dict[ModelId, ModelBook] = {}
        self._holders: dict[Sha256, list[tuple[ModelId, Version]]] = {}

    def absorb(self, fact: Fact, at: Micros) -> None:
        """Take the next fact of a partition, appended at `at`.

        Raises:
            ValueError: the metadata of a registration are no JSON.
        """
        if not isinstance(fact, Change | ReferenceProfiled):
            return
        book = self._books.get(fact.model_id) or ModelBook()
        known = isinstance(fact, ModelRegistered) and book.find(fact.version) is not None
        book.absorb(fact, at)
        self._books[fact.model_id] = book
        if isinstance(fact, ModelRegistered) and not known:
            holder = (fact.model_id, fact.version)
            self._holders.setdefault(fact.artifact_sha256, []).append(holder)

    def list_models(self) -> list[ModelId]:
        """The ids of all models that have a version, sorted."""
        return sorted(name for name, book in self._books.items() if book.latest is not None)

    def get_model(self, model_id: str, version: str | None = None) -> RegisteredModel | None:
        """A version of a model by its name or by an alias; the latest in use by default."""
        book = self._book(model_id)
        return book.latest if version is None else book.find(version)

    def versions(self, model_id: str) -> list[RegisteredModel]:
        """Every version of a model, in the order in which they were registered."""
        return list(self._book(model_id).versions())

    def tags(self, model_id: str) -> dict[str, str]:
        """The tags of a model as a whole."""
        return dict(self._book(model_id).tags)

    def history(self, model_id: str) -> list[RegistryChange]:
        """What happened to a model, the oldest first."""
        return list(self._book(model_id).history)

    def unheld(self, model_id: str | None = None) -> Iterator[RegisteredModel]:
        """Erased versions whose bytes no other version of any model still has."""
        ids = list(self._books) if model_id is None else [ModelId(model_id)]
        for each in ids:
            for model in self._book(each).versions():
                if model.erased and not self.is_held(model.artifact_sha256):
                    yield model

    def is_held(self, sha256: Sha256) -> bool:
        """Whether a version that was not erased has these bytes."""
        return any(
            not self._books[model_id].is_erased(version)
            for model_id, version in self._holders.get(sha256, ())
        )

    def _book(self, model_id: str) -> ModelBook:
        return self._books.get(ModelId(model_id)) or ModelBook()
