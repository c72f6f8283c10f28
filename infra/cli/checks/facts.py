"""Checks that topics, schemas and tables are what this version of modeltrail needs."""

from collections.abc import Iterator

from modeltrail.infra.cli.checks.finding import Finding, fail, ok
from modeltrail.infra.config import Settings

_STEP = "`modeltrail migrate`"


def topics(settings: Settings) -> Iterator[Finding]:
    """Every topic exists, with equal partition counts where topics are joined."""
    from modeltrail.infra.topics import topic_problems

    problems = topic_problems(settings.kafka)
    if not problems:
        yield ok("topics", "all there, laid out as set")
    for problem in problems:
        yield fail("topics", problem, _STEP)


def schemas(settings: Settings) -> Iterator[Finding]:
    """Every version of every schema is registered under its record's name."""
    from modeltrail.infra.schema_registry import ConfluentSchemaIds
    from modeltrail.schemas.catalog import schema_files

    missing = ConfluentSchemaIds(settings.schema_registry).missing(schema_files())
    if not missing:
        yield ok("schemas", f"{len(schema_files())} registered")
    for schema in missing:
        yield fail("schemas", f"{schema.path} is not registered", _STEP)


def migrations(settings: Settings) -> Iterator[Finding]:
    """Every migration is applied."""
    from modeltrail.infra.clickhouse import make_client
    from modeltrail.sinks.migrate import pending

    client = make_client(settings.clickhouse, database="")
    try:
        waiting = pending(client, settings.clickhouse.database)
    finally:
        client.disconnect()
    if not waiting:
        yield ok("migrations", "all applied")
    for name in waiting:
        yield fail("migrations", f"{name} is not applied", _STEP)
