"""What the settings are, from defaults to environment, and how a wrong one is told."""

import dataclasses
import fcntl
import json
import traceback
from pathlib import Path

import pytest

from modeltrail.infra.config import (
    ENDPOINTS_FILE,
    LOCK_FILE,
    Settings,
    describe_settings,
    environment_name,
    load_settings,
)
from modeltrail.infra.errors import ConfigError
from modeltrail.infra.secret import Secret


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_file_or_environment_everything_has_its_default(folder: Path) -> None:
    assert load_settings(environ={}) == Settings()


def test_the_file_of_the_working_folder_overrides_the_defaults(folder: Path) -> None:
    (folder / "modeltrail.yaml").write_text("kafka:\n  partitions: 8\nmonitoring:\n")

    settings = load_settings(environ={})

    assert settings.kafka.partitions == 8
    assert settings.kafka.topic_prefix == "modeltrail."


def test_the_environment_overrides_the_file(folder: Path) -> None:
    (folder / "modeltrail.yaml").write_text("kafka: {partitions: 8, topic_prefix: fleet.}")

    settings = load_settings(environ={"MODELTRAIL_KAFKA_PARTITIONS": "16"})

    assert settings.kafka.partitions == 16
    assert settings.kafka.topic_prefix == "fleet."


def test_every_setting_can_come_from_the_environment(folder: Path) -> None:
    samples = {bool: "true", int: "7", float: "0.5", str: "text", Secret: "hidden"}
    expected = {bool: True, int: 7, float: 0.5, str: "text", Secret: Secret("hidden")}

    for section in dataclasses.fields(Settings):
        for key in dataclasses.fields(getattr(Settings(), section.name)):
            kind = type(key.default)
            name = environment_name(section.name, key.name)
            settings = load_settings(environ={name: samples[kind]}, embedded=False)
            assert getattr(getattr(settings, section.name), key.name) == expected[kind], name


def test_every_setting_says_what_it_means() -> None:
    rows = describe_settings()

    assert ("kafka", "partitions") in [(section, key) for section, key, _default, _doc in rows]
    assert all(doc for _section, _key, _default, doc in rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("kafka: {partition: 8}", "unknown setting kafka.partition: did you mean partitions?"),
        ("kafak: {partitions: 8}", "unknown section kafak: did you mean kafka?"),
        ("kafka: {partitions: many}", "kafka.partitions is 'many', but must be int"),
        ("kafka: {partitions: 4.5}", "kafka.partitions is 4.5, but must be int"),
        ("kafka: {partitions: true}", "kafka.partitions is True, but must be int"),
        ("kafka: {partitions: [1]}", "must be int"),
        ("monitoring: {metrics_collection: maybe}", "must be bool"),
        ("kafka: 4", "must hold sections with keys"),
        ("- kafka", "must hold sections with keys"),
        ("kafka: {", "is not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(
    folder: Path, content: str, message: str
) -> None:
    (folder / "modeltrail.yaml").write_text(content)

    with pytest.raises(ConfigError) as caught:
        load_settings(environ={})

    assert message in str(caught.value)


def test_a_mistyped_variable_is_refused_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={"MODELTRAIL_KAFKA_PARTITION": "8"})

    assert "did you mean MODELTRAIL_KAFKA_PARTITIONS?" in str(caught.value)


def test_variables_of_others_are_left_alone(folder: Path) -> None:
    assert load_settings(environ={"KAFKA_PARTITIONS": "8", "MODEL": "x"}) == Settings()


def test_a_file_that_was_named_must_exist(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration file elsewhere\.yaml"):
        load_settings(Path("elsewhere.yaml"), environ={})


def write_endpoints(folder: Path) -> Path:
    data = folder / ".modeltrail"
    data.mkdir()
    (data / ENDPOINTS_FILE).write_text(json.dumps({"kafka": {"bootstrap_servers": "127.0.0.1:1"}}))
    (data / LOCK_FILE).touch()
    return data


def test_a_running_stack_gives_its_addresses_below_the_users_own(folder: Path) -> None:
    data = write_endpoints(folder)
    with (data / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        assert load_settings(environ={}).kafka.bootstrap_servers == "127.0.0.1:1"
        assert load_settings(environ={}, embedded=False).kafka.bootstrap_servers == ""
        own = {"MODELTRAIL_KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}
        assert load_settings(environ=own).kafka.bootstrap_servers == "kafka.example:9092"


def test_the_addresses_that_a_killed_stack_left_behind_are_ignored(folder: Path) -> None:
    write_endpoints(folder)

    assert load_settings(environ={}).kafka.bootstrap_servers == ""


def test_a_line_that_is_not_yaml_is_named_and_not_shown_as_it_may_hold_a_password(
    tmp_path: Path,
) -> None:
    file = tmp_path / "modeltrail.yaml"
    file.write_text("clickhouse:\n  password: @s3cret-hunter2\n")

    with pytest.raises(ConfigError, match=r"is not YAML: .* in line 2, column 13") as refused:
        load_settings(file)

    assert "s3cret" not in "".join(traceback.format_exception(refused.value))
