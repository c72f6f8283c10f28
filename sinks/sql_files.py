"""Answers which migrations, fills and views there are, and how their text becomes a statement."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from modeltrail.sinks.errors import InvalidIdentifier

RELEASED_FILE = "released.json"
_MIGRATION = re.compile(r"(?P<number>\d{4})_\w+\.sql")
_FILL = re.compile(r"\d_(?P<table>\w+)\.sql")
_VIEW = re.compile(r"\d{2}_(?P<view>\w+)\.sql")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
_COLUMN_DOC = re.compile(r"^-- column (\w+) (.+?): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One statement in one file; `{database}` stands for the database."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Hex SHA-256 of the file's text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def number(self) -> int:
        """The number that a migration's name starts with."""
        return int(self.name.partition("_")[0])

    @property
    def subject(self) -> str:
        """The table or view that the name speaks of."""
        return self.name.partition("_")[2].removesuffix(".sql")

    def statement(self, database: str) -> str:
        """The SQL for `database`.

        Raises:
            InvalidIdentifier: the name may not be part of SQL text.
        """
        return in_database(self.text.strip().rstrip(";"), database)

    def column_docs(self) -> list[tuple[str, str, str]]:
        """Rows (column, type, meaning) from `-- column name Type: meaning` lines.

        A parameterised view shows no columns in `system.columns`; its file describes them.
        """
        return [match.groups() for match in _COLUMN_DOC.finditer(self.text)]  # type: ignore[misc]


@cache
def migrations() -> tuple[SqlFile, ...]:
    """Every migration in the order of its number."""
    return _sql_files("migrations", _MIGRATION)


@cache
def views() -> tuple[SqlFile, ...]:
    """Every view in the order in which they build on each other."""
    return _sql_files("views", _VIEW)


@cache
def fills() -> tuple[SqlFile, ...]:
    """Every statement that gives a table the facts which only the log has, in their order."""
    return _sql_files("fills", _FILL)


def released_checksums() -> dict[str, str]:
    """File name to checksum of every released migration; released files never change again."""
    text = (files(__package__) / "migrations" / RELEASED_FILE).read_text(encoding="utf-8")
    checksums: dict[str, str] = json.loads(text)
    return checksums


def in_database(sql: str, database: str) -> str:
    """`sql` with the database's name for `{database}`.

    Raises:
        InvalidIdentifier: the name may not be part of SQL text.
    """
    return sql.replace("{database}", quoted(database))


def quoted(identifier: str) -> str:
    """The identifier between backticks.

    Raises:
        InvalidIdentifier: not a letter or underscore followed by at most 100 letters, digits
            and underscores.
    """
    if not _IDENTIFIER.fullmatch(identifier):
        raise InvalidIdentifier(
            f"{identifier[:120]!r} is no database name: use letters, digits and underscores"
        )
    return f"`{identifier}`"


def _sql_files(folder: str, pattern: re.Pattern[str]) -> tuple[SqlFile, ...]:
    return tuple(
        sorted(
            (
                SqlFile(entry.name, entry.read_text(encoding="utf-8"))
                for entry in (files(__package__) / folder).iterdir()
                if pattern.fullmatch(entry.name)
            ),
            key=lambda file: file.name,
        )
    )
