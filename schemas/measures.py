"""Answers which measures of an inference have a field of their own, and which of them count."""

from dataclasses import fields
from typing import get_type_hints

from modeltrail.schemas.events import InferenceMeasured

#: In the order of the fields.
MEASURES = tuple(field.name for field in fields(InferenceMeasured) if field.default is None)
#: Whole numbers of things.
COUNTS = frozenset(
    name for name, kind in get_type_hints(InferenceMeasured).items() if kind == int | None
)
