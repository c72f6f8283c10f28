"""Migrations against the real engine: applied once, in any number of processes, never edited."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from clickhouse_driver import Client

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.config import Settings
from modeltrail.sinks.errors import MigrationEdited, MigrationUnknown, NotMigrated
from modeltrail.sinks.migrate import migrate, pending, require_migrated
from modeltrail.sinks.sql_files import migrations, views

PARAMETERS = {
    "registry_at": "(ts = '2026-01-01 00:00:00')",
    "metric_curves": "(run = 'a', points = 10)",
}


@contextmanager
def connected(settings: Settings) -> Iterator[Client]:
    with make_client(settings.clickhouse, database="") as client:
        yield client


@pytest.fixture
def empty(stack: Settings, request: pytest.FixtureRequest) -> Settings:
    """A database name that does not exist yet."""
    name = f"empty_{request.node.name[:60].replace('[', '_').replace(']', '')}"
    return replace(stack, clickhouse=replace(stack.clickhouse, database=name))


def test_an_empty_server_gets_everything_once(empty: Settings) -> None:
    database = empty.clickhouse.database
    names = [migration.name for migration in migrations()]
    with connected(empty) as client:
        assert pending(client, database) == names
        with pytest.raises(NotMigrated, match="modeltrail migrate"):
            require_migrated(client, database)
        assert migrate(client, database) == names
        assert pending(client, database) == []
        assert migrate(client, database) == []


def test_processes_that_start_together_do_no_harm(empty: Settings) -> None:
    def run(_: int) -> None:
        with connected(empty) as client:
            migrate(client, empty.clickhouse.database)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(8)))

    with connected(empty) as client:
        assert pending(client, empty.clickhouse.database) == []


@pytest.mark.parametrize(
    ("number", "error"), [(1, MigrationEdited), (999, MigrationUnknown)], ids=["edited", "unknown"]
)
def test_a_database_that_disagrees_is_refused(
    fresh_settings: Settings, number: int, error: type[Exception]
) -> None:
    database = fresh_settings.clickhouse.database
    with connected(fresh_settings) as client:
        client.execute(
            f"INSERT INTO {database}.schema_migrations (number, name, checksum, applied_at) "
            "SELECT %(number)s, 'x.sql', repeat('0', 64), now64(6)",
            {"number": number},
        )

        with pytest.raises(error):
            migrate(client, database)
        with pytest.raises(error):
            pending(client, database)


def test_every_table_view_and_column_says_what_it_means(fresh_settings: Settings) -> None:
    docs = f"{fresh_settings.clickhouse.database}.column_docs"
    with connected(fresh_settings) as client:
        assert client.execute(f"SELECT table, column FROM {docs} WHERE comment = ''") == []
        described = {table for (table,) in client.execute(f"SELECT DISTINCT table FROM {docs}")}
        assert described >= {view.subject for view in views()}
        ((columns,),) = client.execute(
            f"SELECT count() FROM {docs} WHERE table = 'registry_at' AND column != ''"
        )
        assert columns == 23


def test_every_view_gives_the_types_that_it_declares(fresh_settings: Settings) -> None:
    database = fresh_settings.clickhouse.database
    given, declared = {}, {}
    with connected(fresh_settings) as client:
        for view in (view.subject for view in views()):
            source = view + PARAMETERS.get(view, "")
            _, types = client.execute(
                f"SELECT * FROM {database}.{source} LIMIT 0", with_column_types=True
            )
            # The engine breaks the line after each part of a named tuple.
            given[view] = [
                (name, re.sub(r"\(\s+", "(", " ".join(kind.split()))) for name, kind in types
            ]
            declared[view] = client.execute(
                f"SELECT column, type FROM {database}.column_docs "
                "WHERE table = %(view)s AND column != ''",
                {"view": view},
            )
    assert given == declared
