"""Brings a ClickHouse database to what this version needs: migrations once, views always.

A migration is one statement that may run twice (`IF NOT EXISTS`), so processes that start
together do no harm, and its file's checksum is recorded: an edited one is refused.
"""

from clickhouse_driver import Client

from modeltrail.sinks.errors import MigrationEdited, MigrationUnknown, NotMigrated
from modeltrail.sinks.sql_files import SqlFile, in_database, migrations, views

_APPLIED = "SELECT DISTINCT number, name, toString(checksum) FROM {database}.schema_migrations"
_RECORD = """
INSERT INTO {database}.schema_migrations (number, name, checksum, applied_at)
SELECT %(number)s, %(name)s, %(checksum)s, now64(6)
"""
_DOCS_VIEW = """
CREATE OR REPLACE VIEW {database}.column_docs
(
    table String COMMENT 'Table or view.',
    column String COMMENT 'Its column; empty: the table or view itself.',
    type String COMMENT 'Type of the column.',
    comment String COMMENT 'What it means.'
)
AS SELECT doc.1 AS table, doc.2 AS column, doc.3 AS type, doc.4 AS comment
FROM (SELECT arrayJoin(%(docs)s) AS doc)
COMMENT 'What every table, view and column means, parameterised views included.'
"""


def migrate(client: Client, database: str) -> list[str]:
    """Create the database if need be, apply what is pending, replace every view.

    Args:
        client: of an account that may create; its own current database does not matter.
        database: name of the database.

    Returns:
        The names of the migrations applied now.

    Raises:
        InvalidIdentifier: `database` may not be part of SQL text.
        MigrationEdited: a migration that was applied before has another checksum.
        MigrationUnknown: the database is newer than this version.
    """
    client.execute(in_database("CREATE DATABASE IF NOT EXISTS {database}", database))
    # It records the others, so it must be there before anything can be asked.
    client.execute(migrations()[0].statement(database))
    missing = _missing(client, database)
    for migration in missing:
        client.execute(migration.statement(database))
        client.execute(
            in_database(_RECORD, database),
            {
                "number": migration.number,
                "name": migration.name,
                "checksum": migration.checksum,
            },
        )
    for view in views():
        client.execute(view.statement(database))
    _replace_column_docs(client, database)
    return [migration.name for migration in missing]


def pending(client: Client, database: str) -> list[str]:
    """The names of the migrations that `database` still needs.

    Raises:
        MigrationEdited: a migration that was applied before has another checksum.
        MigrationUnknown: the database is newer than this version.
    """
    if not _has_table(client, database, "schema_migrations"):
        return [migration.name for migration in migrations()]
    return [migration.name for migration in _missing(client, database)]


def require_migrated(client: Client, database: str) -> None:
    """Make sure that `database` has every migration.

    Raises:
        NotMigrated: it lacks some.
        MigrationEdited: a migration that was applied before has another checksum.
        MigrationUnknown: the database is newer than this version.
    """
    if names := pending(client, database):
        raise NotMigrated(
            f"database {database} lacks {len(names)} migrations, first {names[0]}: "
            "run `modeltrail migrate`"
        )


def _missing(client: Client, database: str) -> list[SqlFile]:
    applied = client.execute(in_database(_APPLIED, database))
    known = {migration.number: migration for migration in migrations()}
    for number, name, checksum in applied:
        if number not in known:
            raise MigrationUnknown(
                f"database {database} has migration {name}, which this version does not know: "
                "run the modeltrail that applied it, or a newer one"
            )
        if known[number].checksum != checksum:
            raise MigrationEdited(
                f"migration {known[number].name} was edited after database {database} applied it: "
                "restore the file and put the change into a new migration"
            )
    numbers = {number for number, _, _ in applied}
    return [migration for number, migration in known.items() if number not in numbers]


def _has_table(client: Client, database: str, table: str) -> bool:
    return bool(
        client.execute(
            "SELECT 1 FROM system.tables WHERE database = %(database)s AND name = %(table)s",
            {"database": database, "table": table},
        )
    )


def _replace_column_docs(client: Client, database: str) -> None:
    where = {"database": database}
    docs = client.execute(
        "SELECT name, '', engine, comment FROM system.tables "
        "WHERE database = %(database)s AND name != 'column_docs' ORDER BY name",
        where,
    )
    docs += client.execute(
        "SELECT table, name, type, comment FROM system.columns "
        "WHERE database = %(database)s AND table != 'column_docs' ORDER BY table, position",
        where,
    )
    docs += [(view.subject, *doc) for view in views() for doc in view.column_docs()]
    client.execute(in_database(_DOCS_VIEW, database), {"docs": docs})
