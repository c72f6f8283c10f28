"""The engine's own access control: one role per reader, one for writers, in its users file.

The embedded engine authenticates nobody, but it checks the roles of a connection. Each connection
takes its account's role before the client's first statement, so the grants below hold whatever
the statement's text looks like.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from modeltrail.infra.gateway.accounts import Account

WRITER: Final = "modeltrail_writer"
TRUSTED_WRITER: Final = "modeltrail_trusted_writer"
#: Everything on tables and databases; nothing that reaches files, networks or programs, as
#: dictionaries do.
_WRITER_GRANTS: Final = (
    "GRANT SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, "
    "CREATE TEMPORARY TABLE, CREATE FUNCTION, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, SHOW, CHECK, "
    "KILL QUERY, dictGet, ALLOW SQL SECURITY NONE, "
    "SYSTEM FLUSH LOGS, SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM MOVES, SYSTEM VIEWS ON *.*"
)


def role_of(account: Account) -> str:
    """The engine's role for an account."""
    if account.role == "reader":
        return f"reader_{account.name.encode().hex()}"
    return TRUSTED_WRITER if account.external_sources else WRITER


def write_config(folder: Path, accounts: Iterable[Account]) -> Path:
    """Write the engine's configuration into `folder` and return the path to name to the engine."""
    folder.mkdir(parents=True, exist_ok=True)
    users, config = folder / "users.xml", folder / "config.xml"
    users.write_text(_users(accounts), encoding="utf-8")
    config.write_text(
        f"<clickhouse><users_config>{escape(str(users.resolve()))}</users_config></clickhouse>\n",
        encoding="utf-8",
    )
    return config


def _users(accounts: Iterable[Account]) -> str:
    roles = {WRITER: [_WRITER_GRANTS], TRUSTED_WRITER: ["GRANT ALL ON *.*"]}
    for account in accounts:
        if account.role == "reader":
            roles[role_of(account)] = [
                f"GRANT SELECT, SHOW, dictGet ON {quoted(database)}.*"
                for database in account.databases
            ]
    definitions = "".join(
        f"<{role}><grants>"
        + "".join(f"<query>{escape(grant)}</query>" for grant in grants)
        + f"</grants></{role}>"
        for role, grants in roles.items()
    )
    return f"""<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <roles>{definitions}</roles>
  <users>
    <default>
      <password></password>
      <profile>default</profile>
      <quota>default</quota>
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <grants><query>GRANT {", ".join(roles)}</query></grants>
    </default>
  </users>
</clickhouse>
"""


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(value: str) -> str:
    """A text as an SQL string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
