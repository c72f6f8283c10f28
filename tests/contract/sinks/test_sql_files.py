"""Every table, view and column says what it means, and released migrations are frozen."""

import re

import pytest

from modeltrail.sinks.errors import InvalidIdentifier
from modeltrail.sinks.sql_files import (
    SqlFile,
    fills,
    migrations,
    quoted,
    released_checksums,
    views,
)

CREATED = re.compile(r"CREATE (?:TABLE IF NOT EXISTS|OR REPLACE VIEW) \{database\}\.(\w+)")
COLUMN = re.compile(
    r"^    (\w+) .*\bCOMMENT '[^']+",
)
PARAMETERISED = {"registry_at", "metric_curves"}
PARAMETER = re.compile(r"\{(?:ts|run|points):\w+")


def column_list(file: SqlFile) -> list[str]:
    """The lines between the first parentheses that stand alone."""
    lines = file.text.splitlines()
    start = lines.index("(")
    end = next(number for number in range(start, len(lines)) if lines[number].startswith(")"))
    return [line for line in lines[start + 1 : end] if not line.startswith("    INDEX ")]


@pytest.mark.parametrize("file", migrations(), ids=lambda file: file.name)
def test_a_released_migration_is_never_edited(file: SqlFile) -> None:
    assert released_checksums()[file.name] == file.checksum, (
        "restore the released migration and put the change into a new one"
    )


def test_every_released_migration_is_still_there_and_numbers_have_no_gap() -> None:
    assert [file.name for file in migrations()] == sorted(released_checksums())
    assert [file.number for file in migrations()] == list(range(len(migrations())))


@pytest.mark.parametrize("file", [*migrations(), *views()], ids=lambda file: file.name)
def test_a_file_is_one_statement_that_may_run_twice(file: SqlFile) -> None:
    (statement,) = [part for part in re.split(r";\s*$", file.text, flags=re.M) if part.strip()]
    assert len(CREATED.findall(statement)) == 1
    assert statement.replace("{database}", "").count("{") == len(PARAMETER.findall(statement)), (
        "nothing but the database's name is put into the text"
    )


@pytest.mark.parametrize("file", fills(), ids=lambda file: file.name)
def test_a_fill_writes_every_column_that_is_not_derived(file: SqlFile) -> None:
    (table,) = [each for each in migrations() if each.subject == file.subject]
    written = [line for line in column_list(table) if " MATERIALIZED " not in line]
    names = {match[1] for line in written if (match := COLUMN.match(line))}
    filled = re.search(r"INSERT INTO \{database\}\.(\w+)\s*\(([^)]+)\)", file.text)
    assert filled
    assert filled[1] == table.subject
    assert {name.strip() for name in filled[2].split(",")} == names


@pytest.mark.parametrize("file", [*migrations(), *views()], ids=lambda file: file.name)
def test_every_table_view_and_column_has_a_comment(file: SqlFile) -> None:
    assert re.search(r"^COMMENT '.{20,}'", file.text, flags=re.M)
    if file.subject in PARAMETERISED:
        assert file.column_docs()
        return
    lines = column_list(file)
    assert lines
    for line in lines:
        assert COLUMN.match(line), line


def test_every_name_of_the_sql_contract_that_these_facts_feed_exists() -> None:
    created = {CREATED.findall(file.text)[0] for file in (*migrations(), *views())}
    assert created >= {
        "models",
        "model_versions",
        "registry_at",
        "alias_history",
        "experiments",
        "experiment_metric_summary",
        "metric_curves",
        "experiment_metrics",
        "experiment_comparison",
        "measurements",
        "measurement_summary",
        "event_log",
        "dead_letters",
        "sink_progress",
        "schema_migrations",
        "coverage",
        "measurement_windows",
        "window_progress",
        "drift",
        "change_points",
        "value_breaches",
        "truth_samples",
        "threshold_rules",
        "alerts",
        "open_alerts",
        "alert_history",
        "alert_silences",
        "deployments",
        "deployment_steps",
        "routing",
        "routing_history",
        "nodes",
        "node_models",
    }


@pytest.mark.parametrize("name", ["", "a b", "a`b", "1a", "a;DROP", "ä", "x" * 102])
def test_a_database_name_that_is_no_identifier_is_refused(name: str) -> None:
    with pytest.raises(InvalidIdentifier):
        quoted(name)


def test_a_plain_database_name_is_quoted() -> None:
    assert quoted("model_trail2") == "`model_trail2`"
