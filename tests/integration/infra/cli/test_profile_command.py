"""`modeltrail profile` makes a reference of a file or of measurements, and tells what it is."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from modeltrail.infra.cli.group import cli
from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import read_partition
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import FeatureKind, ModelRegistered, ReferenceProfiled
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import ModelId, Version
from modeltrail.schemas.topics import REGISTRY, key_of
from tests.integration.conftest import worker_environment
from tests.integration.sinks.log import Log

MODEL, VERSION = ModelId("centerface"), Version("v2.0.0")
SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings(fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in worker_environment(fresh_settings).items():
        monkeypatch.setenv(name, value)
    # The reader of the embedded stack sees the database of its settings only, not a test's own.
    account, password = fresh_settings.clickhouse.user, fresh_settings.clickhouse.password
    monkeypatch.setenv("MODELTRAIL_CLICKHOUSE_READER_USER", account)
    monkeypatch.setenv("MODELTRAIL_CLICKHOUSE_READER_PASSWORD", password.reveal())
    registered = replace(example_fact(ModelRegistered), model_id=MODEL, version=VERSION)
    Log(fresh_settings).append(REGISTRY, [registered], key_of(MODEL))
    return fresh_settings


def _profile(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["profile", *arguments])


def _profiles(settings: Settings) -> list[ReferenceProfiled]:
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    topic = REGISTRY.full_name(settings.kafka.topic_prefix)
    found = [
        codec.decode(value)
        for partition in range(settings.kafka.partitions)
        for value in read_partition(settings.kafka, topic, partition)
        if value
    ]
    return [fact for fact in found if isinstance(fact, ReferenceProfiled)]


def _frame() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "luma_mean": rng.normal(120, 30, 3_000),
            "faces": rng.binomial(3, 0.4, 3_000),
            "camera": ["gate"] * 3_000,
        }
    )


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_numbers_of_a_file_become_a_reference(
    settings: Settings, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"validation.{form}"
    getattr(_frame(), f"write_{form}")(path)

    result = _profile(MODEL, VERSION, str(path), "--profiled-by", "ops")

    assert result.exit_code == 0, result.output
    (fact,) = _profiles(settings)
    assert (fact.model_id, fact.version, fact.rows) == (MODEL, VERSION, 3_000)
    assert (fact.dataset, fact.profiled_by) == (path.name, "ops")
    assert fact.dataset_sha256 == hashlib.sha256(path.read_bytes()).digest()
    kinds = {feature.name: feature.kind for feature in fact.features}
    assert kinds == {"luma_mean": FeatureKind.NUMERIC, "faces": FeatureKind.CATEGORICAL}
    assert "3,000 rows" in result.output
    assert "█" in result.output


def test_what_cannot_be_profiled_is_refused_with_the_next_step(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "validation.csv"
    _frame().write_csv(path)

    unknown = _profile(MODEL, "v9.0.0", str(path))
    text = _profile(MODEL, VERSION, str(path), "--features", "camera")
    neither = _profile(MODEL, VERSION)
    nothing = _profile(
        MODEL, VERSION, "--from-measurements", "--since", "2020-01-01", "--until", "2020-01-02"
    )

    assert "v9.0.0 is not registered" in str(unknown.exception)
    assert "no column of numbers named camera" in str(text.exception)
    assert neither.exit_code == 2
    assert "widen --since and --until" in str(nothing.exception)
    assert _profiles(settings) == []


def test_what_nodes_measured_becomes_a_reference(settings: Settings) -> None:
    luma = np.random.default_rng(1).normal(120, 30, 500)
    with make_client(settings.clickhouse) as client:
        client.execute(
            "INSERT INTO measurement_rows (captured_at, appended_at, node_id, model_id, version, "
            "environment, luma_mean, extra_names, extra_values, offset, event_id_bytes) VALUES",
            [
                {
                    "captured_at": SINCE + timedelta(seconds=number),
                    "appended_at": SINCE + timedelta(seconds=number),
                    "node_id": "gate-1",
                    "model_id": MODEL,
                    "version": VERSION,
                    "environment": "production",
                    "luma_mean": value,
                    "extra_names": ["glare"] if number % 2 else [],
                    "extra_values": [float(number)] if number % 2 else [],
                    "offset": number,
                    "event_id_bytes": number.to_bytes(16, "big"),
                }
                for number, value in enumerate(luma.tolist())
            ],
        )
    span = ("--since", "2026-03-01T12:00:00", "--until", "2026-03-01T12:06:40")

    usual = _profile(MODEL, VERSION, "--from-measurements", *span)
    chosen = _profile(MODEL, VERSION, "--from-measurements", *span, "--features", "glare,luma_mean")

    assert usual.exit_code == chosen.exit_code == 0, (usual.output, chosen.output)
    first, second = sorted(_profiles(settings), key=lambda fact: len(fact.features))
    assert (first.rows, [feature.name for feature in first.features]) == (400, ["luma_mean"])
    assert first.dataset_sha256 == hashlib.sha256(luma[:400].astype("<f8").tobytes()).digest()
    assert [feature.name for feature in second.features] == ["glare", "luma_mean"]
    assert sum(second.features[0].counts) == 200
    assert second.features[1] == first.features[0]
