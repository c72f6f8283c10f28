"""`modeltrail sql`: one query as the read-only account, as a table, JSON or CSV."""

import sys

import click

from modeltrail.infra.cli.form import form_option
from modeltrail.infra.config import Settings


@click.command("sql")
@click.argument("query")
@form_option("table", "json", "csv")
@click.pass_obj
def sql(settings: Settings, query: str, form: str) -> None:
    """Run a query on ClickHouse as the read-only account; `-` reads it from standard input."""
    from modeltrail.infra.cli.reading import reading
    from modeltrail.infra.cli.rows import write_rows

    text = sys.stdin.read() if query == "-" else query
    with reading(settings.clickhouse) as client:
        rows, columns = client.execute(text, with_column_types=True)
    write_rows(form, [name for name, _kind in columns], rows, sys.stdout)
