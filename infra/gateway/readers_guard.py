"""What a reader's statement may contain, judged on the engine's own parse of it.

The engine's grants already keep readers to the tables of their databases. This guard closes what
grants do not cover: system tables that tell of others, functions that reach outside, and
statements that change the session. It reads the syntax tree that the engine prints for the
canonical text, and only that canonical text is run afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from modeltrail.infra.gateway import sql
from modeltrail.infra.gateway.errors import Code, GatewayError

#: Kinds of statements, as the first word of the syntax tree.
_STATEMENTS: Final = frozenset(
    {
        "SelectWithUnionQuery",
        "SelectIntersectExceptQuery",
        "Explain",
        "DescribeQuery",
        "ShowTables",
        "ShowColumns",
        "ShowIndexes",
        "ShowCreateTableQuery",
        "ShowCreateViewQuery",
        "ShowCreateDatabaseQuery",
        "ShowFunctions",
        "ShowEngineQuery",
        "ExistsTableQuery",
        "ExistsViewQuery",
        "ExistsDatabaseQuery",
        "UseQuery",
    }
)
#: System tables that hold nothing but the engine's vocabulary and what the grants filter.
_SYSTEM_TABLES: Final = frozenset(
    {
        "tables", "columns", "databases", "functions", "table_functions", "table_engines",
        "data_type_families", "formats", "settings", "keywords", "time_zones", "collations",
        "one", "numbers", "numbers_mt", "zeros", "zeros_mt", "aggregate_function_combinators",
        "build_options", "contributors", "licenses", "codecs",
    }
)  # fmt: skip
_FUNCTIONS: Final = frozenset(
    {
        "file", "joinget", "joingetornull", "getserversetting", "getserverport", "tcpport",
        "getmacro", "showcertificate", "getclienthttpheader", "addresstoline", "addresstosymbol",
        "addresstolinewithinlines", "demangle", "logtrace", "filesystemavailable",
        "filesystemcapacity", "filesystemunreserved", "evalmlmethod", "catboostevaluate",
        "zookeepersessionuptime", "generateserialid", "eval", "naivebayesclassifier",
    }
)  # fmt: skip
_FUNCTION: Final = re.compile(r"^\s*Function (\S+)")
_TABLE: Final = re.compile(r"^\s*(?:Table)?Identifier (.*?)(?: \(|$)")
_PARAMETER_NAME: Final = re.compile(r"\{\s*\w+\s*:\s*Identifier\s*\}", re.IGNORECASE)


def check_statement(
    tree: str,
    canonical: str,
    databases: Collection[str],
    known_table_functions: Collection[str],
) -> None:
    """Refuse what a reader may not run.

    `tree` is the engine's EXPLAIN AST of `canonical`. Lines that a client's quoted names add to
    the tree can only make it refuse more: every node has a line of its own, and each is checked.

    Raises:
        GatewayError: ACCESS_DENIED or READONLY, with what is not allowed.
    """
    lines = tree.splitlines()
    statement = lines[0].split(" ", 1)[0] if lines else ""
    if statement not in _STATEMENTS:
        raise GatewayError(Code.READONLY, "Cannot execute query in readonly mode.")
    if _PARAMETER_NAME.search(canonical):
        raise _denied("names of tables as parameters")
    if statement == "UseQuery":
        _check_database(lines[0].split(" ")[1], databases)
    if statement in ("ShowColumns", "ShowIndexes", "ShowTables", "ShowFunctions"):
        _check_show(canonical)
        return
    for previous, line in zip(["", *lines], lines, strict=False):
        if line.strip().startswith("ColumnsApplyTransformer"):
            # The tree does not say what is applied.
            raise _denied("APPLY")
        if line.strip() == "Set":  # a SETTINGS clause, which the engine lets pass in subqueries
            raise GatewayError(Code.READONLY, "Cannot modify settings in readonly mode.")
        if function := _FUNCTION.match(line):
            in_from = previous.lstrip().startswith("TableExpression")
            _check_function(function[1].lower(), in_from, known_table_functions)
        elif table := _TABLE.match(line):
            _check_identifier(table[1])


def check_settings(settings: Mapping[str, str]) -> None:
    """Refuse settings that come with a reader's statement.

    Raises:
        GatewayError: READONLY, naming the first of them.
    """
    for name in settings:
        raise GatewayError(Code.READONLY, f"Cannot modify '{name}' setting in readonly mode.")


def _check_show(canonical: str) -> None:
    """The tree of such a statement does not show its expressions, so it may have none."""
    for token in sql.tokens(canonical):
        if token.kind == "word" and token.text in ("WHERE", "LIMIT"):
            raise _denied(f"{token.text} in SHOW: ask system.tables or system.columns instead")


def _check_function(name: str, in_from: bool, known_table_functions: Collection[str]) -> None:
    name = name.strip("`")
    if in_from and name in known_table_functions and name not in sql.TABLE_FUNCTIONS_OF_NOTHING:
        raise _denied(f"the table function {name}")
    if name in _FUNCTIONS or name.startswith(("ai", "__")):
        raise _denied(f"the function {name}")


def _check_identifier(name: str) -> None:
    if name.lower() == "file":
        raise _denied("the name file, which is also a function: qualify the column")
    database, dot, table = name.partition(".")
    if dot and database == "system" and table.split(".")[0] not in _SYSTEM_TABLES:
        raise _denied(f"the table {name}")


def _check_database(name: str, databases: Collection[str]) -> None:
    if name not in databases:
        raise _denied(f"the database {name}")


def _denied(what: str) -> GatewayError:
    return GatewayError(Code.ACCESS_DENIED, f"Not enough privileges: readers may not use {what}.")
