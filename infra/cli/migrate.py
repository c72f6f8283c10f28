"""`modeltrail migrate`: brings topics, schemas and ClickHouse to what this version needs."""

import click

from modeltrail.infra.config import Settings


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Create missing topics, publish the schemas, apply migrations and views; safe to repeat."""
    from modeltrail.infra.clickhouse import make_client
    from modeltrail.infra.schema_registry import ConfluentSchemaIds
    from modeltrail.infra.topics import create_topics
    from modeltrail.schemas.catalog import schema_files
    from modeltrail.sinks.migrate import migrate as migrate_clickhouse

    created = create_topics(settings.kafka)
    click.echo(f"topics: {len(created)} created")
    ids = ConfluentSchemaIds(settings.schema_registry).publish(schema_files())
    click.echo(f"schemas: {len(ids)} published")
    client = make_client(settings.clickhouse, database="")
    try:
        applied = migrate_clickhouse(client, settings.clickhouse.database)
    finally:
        client.disconnect()
    click.echo(f"migrations: {len(applied)} applied")
