"""No event can carry an image, a crop or an embedding: only ids are bytes, no list is free."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from modeltrail.producers.registry.request import declared
from modeltrail.schemas.catalog import schema_files
from modeltrail.schemas.errors import InvalidFact

ONE_A_FILE = pytest.mark.parametrize("file", schema_files(), ids=lambda file: file.path)

#: Fixed bytes are ids and digests; an embedding has hundreds.
LONGEST_FIXED = 32
#: Bytes of any length: what could not be read at all, cut at 256 KiB and kept for repair.
MAY_HOLD_BYTES = {
    ("modeltrail.dead_letters.DeadLetter", "key"),
    ("modeltrail.dead_letters.DeadLetter", "value"),
}
#: Lists of numbers, and what bounds them: those about a frame have a declared name for each value.
NUMBERS = {
    ("modeltrail.inference.InferenceMeasured", "extra_values"): "32 declared names",
    ("modeltrail.inference.GroundTruthObserved", "values"): "measures and 32 declared names",
    ("modeltrail.samples.MeasurementSampled", "values"): "measures and 32 declared names",
    ("modeltrail.trials.SessionValue", "means"): "means over frames, one a metric of a policy",
    ("modeltrail.windows.RecentMetric", "values"): "one metric of 1,000 measurements",
    ("modeltrail.windows.RecentMeasurements", "values"): "metrics of 1,000 measurements a series",
    ("modeltrail.windows.PartialWindows", "mins"): "one value a metric of many series",
    ("modeltrail.windows.PartialWindows", "maxs"): "one value a metric of many series",
    ("modeltrail.registry.FeatureProfile", "edges"): "edges of one feature's bins",
    ("modeltrail.experiments.MetricsLogged", "values"): "metrics of a run, each with a name",
}


def places(schema: Any, record: str = "", field: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every type in a schema, with the record and the field that it stands in."""
    if isinstance(schema, list):
        for each in schema:
            yield from places(each, record, field)
        return
    yield record, field, schema
    if not isinstance(schema, dict):
        return
    if schema["type"] == "record":
        name = f"{schema.get('namespace', record.rpartition('.')[0])}.{schema['name']}"
        for each in schema["fields"]:
            yield from places(each["type"], name, each["name"])
    elif schema["type"] in ("array", "map"):
        yield from places(schema.get("items", schema.get("values")), record, field)
    elif not isinstance(schema["type"], str):
        yield from places(schema["type"], record, field)


@ONE_A_FILE
def test_bytes_are_ids(file: Any) -> None:
    for record, field, kind in places(json.loads(file.text)):
        name = kind["type"] if isinstance(kind, dict) else kind
        if name == "fixed":
            assert kind["size"] <= LONGEST_FIXED, (record, field)
        if name == "bytes":
            assert (record, field) in MAY_HOLD_BYTES, (record, field)


def lists_of_numbers() -> Iterator[tuple[str, str]]:
    for file in schema_files():
        for record, field, kind in places(json.loads(file.text)):
            if isinstance(kind, dict) and kind["type"] == "array":
                items = kind["items"]
                kinds = items if isinstance(items, list) else [items]
                if any(each in ("float", "double") for each in kinds):
                    yield record, field


def test_lists_of_numbers_are_those_that_are_bounded() -> None:
    assert set(lists_of_numbers()) == set(NUMBERS)


@pytest.mark.parametrize(
    "names", [tuple(f"e{place:03}" for place in range(128)), ("luma_mean",)], ids=["128", "1"]
)
def test_an_embedding_is_not_admitted_as_extra_metrics(names: tuple[str, ...]) -> None:
    """Not even one whose dimensions have names: 32 are declared on a model at the most."""
    with pytest.raises(InvalidFact):
        declared(names)
