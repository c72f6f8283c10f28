"""Writes the card of the model that a demo ran."""

from pathlib import Path

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.schemas.ids import Micros, ModelId, Version


def write_card(settings: Settings, model_id: str, version: str, folder: Path) -> Path:
    """Fold the card as of now and write it as one HTML page; gives its path."""
    from modeltrail.infra.schema_registry import ConfluentSchemaIds
    from modeltrail.processors.documents.model_card import model_card
    from modeltrail.processors.documents.reading import SubjectReader
    from modeltrail.processors.documents.rendering import html_of
    from modeltrail.schemas.codec import Codec

    as_of = Micros(SystemClock().now_us())
    reader = SubjectReader(settings, Codec(ConfluentSchemaIds(settings.schema_registry)))
    chosen, facts = reader.of_model(ModelId(model_id), Version(version), as_of)
    path = folder / f"{model_id}-{version}.html"
    card = model_card(ModelId(model_id), chosen, facts, as_of, reader.live_hours)
    path.write_text(html_of(card), encoding="utf-8")
    return path
