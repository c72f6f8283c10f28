"""A stack has the parts that the settings call for, in the order of need, and shows no secret."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.config import (
    AlertingSettings,
    ClickHouseSettings,
    KafkaSettings,
    SchemaRegistrySettings,
    Settings,
)
from modeltrail.infra.secret import Secret
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.part import Part, needs
from modeltrail.infra.stack.plan import plan

OWN_KAFKA = KafkaSettings(bootstrap_servers="kafka.example:9092")
OWN_REGISTRY = SchemaRegistrySettings(url="http://registry.example")
OWN_CLICKHOUSE = ClickHouseSettings(host="clickhouse.example")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path / "data")
    layout.create()
    return layout


def names(settings: Settings, layout: Layout, workers: bool = True) -> list[str]:
    return [part.name for part in plan(settings, layout, "token", None, workers)]


def all_parts(layout: Layout) -> list[Part]:
    return plan(Settings(), layout, "token", Path("own.yaml"), True)


def test_by_default_everything_is_embedded(layout: Layout) -> None:
    assert names(Settings(), layout) == [
        "java",
        "kafka-format",
        "kafka",
        "registry",
        "clickhouse",
        "migrate",
        "processors",
        "projector",
        "jobs",
    ]


ADDRESS = Secret("https://alerts.example/secret-path")


@pytest.mark.parametrize(
    "alerting", [AlertingSettings(webhook_url=ADDRESS), AlertingSettings(alertmanager_url=ADDRESS)]
)
def test_alerts_are_delivered_where_a_destination_is_set(
    layout: Layout, alerting: AlertingSettings
) -> None:
    parts = plan(Settings(alerting=alerting), layout, "token", None, True)

    (delivery,) = (part for part in parts if part.name == "delivery")
    assert "migrate" in delivery.depends_on
    assert "secret-path" not in " ".join(delivery.argv)


def test_without_workers_there_are_servers_only(layout: Layout) -> None:
    assert "migrate" not in names(Settings(), layout, workers=False)


def test_a_server_of_the_users_own_is_left_out(layout: Layout) -> None:
    assert "kafka" not in names(Settings(kafka=OWN_KAFKA), layout)
    assert "registry" not in names(Settings(schema_registry=OWN_REGISTRY), layout)
    assert "clickhouse" not in names(Settings(clickhouse=OWN_CLICKHOUSE), layout)


def test_with_servers_of_the_users_own_there_are_workers_only(layout: Layout) -> None:
    settings = Settings(kafka=OWN_KAFKA, schema_registry=OWN_REGISTRY, clickhouse=OWN_CLICKHOUSE)

    assert names(settings, layout) == ["migrate", "processors", "projector", "jobs"]


def test_storage_is_formatted_once(layout: Layout) -> None:
    (layout.root / "kafka").mkdir()
    (layout.root / "kafka" / "meta.properties").touch()

    assert "kafka-format" not in names(Settings(), layout)


def test_workers_wait_for_the_migration_and_it_for_every_server(layout: Layout) -> None:
    needed = needs(all_parts(layout))

    assert {"kafka", "registry", "clickhouse"} <= needed["migrate"]
    assert "migrate" in needed["processors"] & needed["projector"] & needed["jobs"]
    assert "java" not in needed["clickhouse"]


def test_workers_read_the_same_settings_file(layout: Layout) -> None:
    for part in all_parts(layout):
        if part.name in ("migrate", "processors", "projector", "jobs"):
            index = part.argv.index("--config")
            assert part.argv[index + 1] == str(Path("own.yaml").absolute())


def test_no_password_is_in_a_command_line_or_an_environment(layout: Layout) -> None:
    parts = all_parts(layout)
    passwords = json.loads(layout.credentials.read_text()).values()

    for part in parts:
        told = [*part.argv, *part.env.values()]
        assert not [text for text in told for password in passwords if password in text], part.name


def test_the_overlay_is_made_of_real_settings(layout: Layout) -> None:
    settings = Settings()
    for part in all_parts(layout):
        for section, values in part.provides.items():
            replace(getattr(settings, section), **values)


def test_the_broker_listens_on_loopback_only(layout: Layout) -> None:
    all_parts(layout)
    lines = (layout.root / "kafka.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines)

    listeners = properties["listeners"].split(",") + properties["advertised.listeners"].split(",")
    assert all("://127.0.0.1:" in listener for listener in listeners)
    assert properties["auto.create.topics.enable"] == "false"
    assert properties["log.message.timestamp.type"] == "LogAppendTime"
