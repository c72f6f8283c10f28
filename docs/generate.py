"""Writes reference, example settings and policy schema from the code, so that they are right."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from modeltrail.infra.cli.group import COMMANDS, cli
from modeltrail.infra.config import describe_settings, environment_name
from modeltrail.schemas.catalog import newest_schema
from modeltrail.schemas.deployment_policy import policy_schema
from modeltrail.schemas.topics import TOPICS, Retention, Topic
from modeltrail.sinks.sql_files import SqlFile, migrations, views

REFERENCE = Path(__file__).with_name("reference.md")
EXAMPLE = Path(__file__).with_name("modeltrail.yaml")
POLICY_SCHEMA = Path(__file__).parents[1] / "schemas" / "policies" / "deployment.schema.json"
_COLUMN = re.compile(
    r"^\s+(\w+) (.+?) (?:MATERIALIZED .+? )?(?:CODEC\(.+\) )?COMMENT '((?:[^']|'')*)',?$",
    re.MULTILINE,
)
_COMMENT = re.compile(r"^COMMENT '((?:[^']|'')*)'", re.MULTILINE)
_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS \{database\}\.(\w+)")


def reference() -> str:
    """The whole page."""
    return "\n".join(
        [
            "# Reference",
            "",
            "Written by `make docs` from the code; a test fails where they differ.",
            "",
            *_commands(),
            *_settings(),
            *_facts(),
            *_tables(),
        ]
    )


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    yield "`modeltrail --config FILE COMMAND`; without it, `modeltrail.yaml` if it exists.\n"
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield from _command(name, command)


def _command(name: str, command: click.Command) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(click.Context(command)))
    yield f"### `modeltrail {name} {usage}`\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield f"- `{_option(parameter)}`: {parameter.help or ''}".removesuffix(": ")
    yield ""
    if isinstance(command, click.Group):
        for inner, each in command.commands.items():
            yield from _command(f"{name} {inner}", each)


def _option(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return f"{option.opts[0]} {'|'.join(option.type.choices)}"
    return option.opts[0] if option.is_flag else f"{option.opts[0]} {option.type.name.upper()}"


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield "Later ones win: default, running embedded stack, `modeltrail.yaml`, environment.\n"
    yield "[`modeltrail.yaml`](modeltrail.yaml) shows all of them in place.\n"
    yield "| `modeltrail.yaml` | environment | default | meaning |"
    yield "|---|---|---|---|"
    for section, key, default, meaning in describe_settings():
        shown = f"`{default}`" if default not in ("", "''") else ""
        variable = environment_name(section, key)
        yield f"| `{section}.{key}` | `{variable}` | {shown} | {meaning} |"
    yield ""


def _retention(topic: Topic) -> str:
    if topic.retention is Retention.FOR_EVER:
        return "kept for ever"
    return f"kept `kafka.{topic.retention}`"


def _facts() -> Iterator[str]:
    yield "## Topics and their events\n"
    yield "Topic names carry `kafka.topic_prefix`. Values are Avro in the Confluent wire format.\n"
    for topic in TOPICS:
        kept = _retention(topic)
        yield f"### Topic `{topic.name}`\n"
        yield f"Key {topic.key}; {kept}; written by {topic.owner}.\n"
        for kind in topic.facts:
            schema = json.loads(newest_schema(kind.record).text)
            yield f"**{schema['name']}** (`{kind.record}`): {schema['doc']}\n"
            yield "| field | type | meaning |"
            yield "|---|---|---|"
            for field in schema["fields"]:
                yield f"| `{field['name']}` | {_type_name(field['type'])} | {field['doc']} |"
            yield ""


def _type_name(kind: Any) -> str:
    if isinstance(kind, list):
        return " or ".join(_type_name(part) for part in kind)
    if not isinstance(kind, dict):
        return str(kind)
    if kind["type"] == "array":
        return f"array of {_type_name(kind['items'])}"
    if kind["type"] == "enum":
        return f"enum {', '.join(kind['symbols'])}"
    return str(kind.get("name") or kind.get("logicalType") or kind["type"])


def _tables() -> Iterator[str]:
    yield "## Tables and views in ClickHouse\n"
    yield "Read the views: their names and columns stay. Tables are the projector's own.\n"
    for file in views():
        yield from _relation(f"View `{file.subject}`", file)
    for file in migrations():
        if found := _TABLE.search(file.text):
            yield from _relation(f"Table `{found[1]}`", file)


def _relation(title: str, file: SqlFile) -> Iterator[str]:
    yield f"### {title}\n"
    if comment := _COMMENT.search(file.text):
        yield f"{comment[1]}\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for name, kind, meaning in [*file.column_docs(), *_COLUMN.findall(file.text)]:
        yield f"| `{name}` | {kind} | {meaning} |"
    yield ""


def example_settings() -> str:
    """A `modeltrail.yaml` that says what would hold without it."""
    lines = ["# Every setting with its default; secrets belong into the environment."]
    section = ""
    for name, key, default, meaning in describe_settings():
        if name != section:
            section = name
            lines += ["", f"{section}:"]
        lines.append(f"  {key}: {_yaml(default)}  # {meaning}")
    return "\n".join(lines) + "\n"


def _yaml(default: str) -> str:
    return default.lower() if default in ("True", "False") else default.strip("'") or '""'


if __name__ == "__main__":
    REFERENCE.write_text(reference())
    EXAMPLE.write_text(example_settings())
    POLICY_SCHEMA.write_text(json.dumps(policy_schema(), indent=2) + "\n")
    click.echo(f"wrote {REFERENCE}, {EXAMPLE} and {POLICY_SCHEMA}")
