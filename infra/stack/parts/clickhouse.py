"""The ClickHouse gateway: the embedded engine behind the native protocol, with its two accounts."""

from collections.abc import Mapping

from modeltrail.infra.config import ClickHouseSettings
from modeltrail.infra.gateway.accounts import Account, write_accounts
from modeltrail.infra.stack.credentials import Credentials, remembered_credentials
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.part import LogLine, Part
from modeltrail.infra.stack.ports import LOOPBACK
from modeltrail.infra.stack.python import python_command, python_environment

PORTS = ("clickhouse",)
# A person's query may not take the machine from the workers.
READER_LIMITS = {
    "max_memory_usage": 2 << 30,
    "max_execution_time": 60,
    "max_result_rows": 1_000_000,
}


def clickhouse_part(layout: Layout, ports: Mapping[str, int], settings: ClickHouseSettings) -> Part:
    """The gateway on its loopback port; passwords reach it as hashes in a private file."""
    credentials = remembered_credentials(layout.credentials)
    write_accounts(layout.accounts, _accounts(credentials, settings))
    port = ports["clickhouse"]
    return Part(
        name="clickhouse",
        argv=python_command(
            "modeltrail.infra.gateway",
            *("--data-dir", str(layout.root / "clickhouse")),
            *("--port", str(port)),
            *("--accounts", str(layout.accounts)),
        ),
        env=python_environment(layout),
        ready=LogLine(f"ready {LOOPBACK}:{port}"),
        ports={"clickhouse": port},
        provides={
            "clickhouse": {
                "host": LOOPBACK,
                "port": port,
                "user": settings.user,
                "password": credentials.writer,
                "reader_user": settings.reader_user,
                "reader_password": credentials.reader,
            }
        },
    )


def _accounts(credentials: Credentials, settings: ClickHouseSettings) -> list[Account]:
    writer = Account.with_password(settings.user, credentials.writer, "writer")
    reader = Account.with_password(
        settings.reader_user,
        credentials.reader,
        "reader",
        databases=(settings.database,),
        limits=READER_LIMITS,
    )
    return [writer, reader]
