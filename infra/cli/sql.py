"""`modeltrail sql`: one query as the read-only account, as a table, JSON or CSV."""

import sys
from typing import Any

import click

from modeltrail.infra.config import ClickHouseSettings, Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.schemas.errors import ModeltrailError


class QueryFailed(ModeltrailError):
    """ClickHouse refused the query: its code and message."""


@click.command("sql")
@click.argument("query")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
)
@click.pass_obj
def sql(settings: Settings, query: str, form: str) -> None:
    """Run a query on ClickHouse as the read-only account; `-` reads it from standard input."""
    from modeltrail.infra.cli.rows import write_csv, write_json, write_table

    text = sys.stdin.read() if query == "-" else query
    names, rows = _run(settings.clickhouse, text)
    write = {"table": write_table, "json": write_json, "csv": write_csv}[form]
    write(names, rows, sys.stdout)


def _run(settings: ClickHouseSettings, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    import logging

    from clickhouse_driver import errors

    from modeltrail.infra.clickhouse import make_reader

    # The driver also logs what it raises.
    logging.getLogger("clickhouse_driver").addHandler(logging.NullHandler())
    client = make_reader(settings)
    try:
        rows, columns = client.execute(query, with_column_types=True)
    except errors.ServerException as error:
        raise QueryFailed(
            f"ClickHouse refused the query with code {error.code}: {_said(error)}"
        ) from error
    except (errors.NetworkError, errors.SocketTimeoutError, EOFError) as error:
        raise Unavailable(
            f"no answer from ClickHouse at {settings.host}:{settings.port} ({_said(error)}): "
            "`modeltrail status` shows the embedded stack, `modeltrail up --detach` starts it; "
            "for a server of your own check MODELTRAIL_CLICKHOUSE_HOST and _PORT"
        ) from error
    finally:
        client.disconnect()
    return [name for name, _kind in columns], rows


def _said(error: Exception) -> str:
    message = str(getattr(error, "message", "") or error)
    # A server appends every word of its grammar, and its C++ stack trace.
    return message.split("Stack trace:")[0].split(". Expected one of:")[0].strip()
