"""The reference names every command, setting, event, table and view that exists."""

from dataclasses import fields

import pytest

from docs.generate import EXAMPLE, REFERENCE, example_settings, reference
from modeltrail.infra.cli.group import COMMANDS
from modeltrail.infra.config import Settings, describe_settings, environment_name, load_settings
from modeltrail.schemas.facts import FACTS
from modeltrail.sinks.sql_files import migrations, views


def test_the_reference_is_what_the_code_says() -> None:
    assert REFERENCE.read_text() == reference(), "run `make docs`"


def test_the_example_settings_are_the_defaults() -> None:
    assert EXAMPLE.read_text() == example_settings(), "run `make docs`"
    assert load_settings(EXAMPLE, {}, embedded=False) == Settings()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"### `modeltrail {command} " in REFERENCE.read_text()


def test_every_setting_is_documented_with_its_environment_variable() -> None:
    page = REFERENCE.read_text()
    for section, key, _default, meaning in describe_settings():
        assert meaning, f"{section}.{key} says nothing"
        assert f"| `{section}.{key}` | `{environment_name(section, key)}` |" in page


@pytest.mark.parametrize("kind", FACTS)
def test_every_field_of_every_event_is_documented(kind: type) -> None:
    _, _, section = REFERENCE.read_text().partition(f"(`{kind.record}`)")  # type: ignore[attr-defined]
    section, _, _ = section.partition("**")
    for field in fields(kind):
        assert f"| `{field.name}` |" in section


def test_every_table_and_view_is_documented_with_its_columns() -> None:
    page = REFERENCE.read_text()
    for file in views():
        _, found, section = page.partition(f"### View `{file.subject}`")
        assert found
        section, _, _ = section.partition("###")
        assert "| `" in section, f"{file.subject} shows no columns"
    assert page.count("### Table `") == sum("CREATE TABLE" in file.text for file in migrations())
