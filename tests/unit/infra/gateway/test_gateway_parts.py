"""The gateway's pure parts: accounts, errors, statements, settings and the readers' guard."""

import stat
from pathlib import Path

import pytest

from modeltrail.infra.gateway import readers_guard, settings, sql
from modeltrail.infra.gateway.accounts import (
    Account,
    AccountsError,
    authenticate,
    parse_accounts,
    write_accounts,
)
from modeltrail.infra.gateway.engine_config import role_of, write_config
from modeltrail.infra.gateway.errors import GatewayError, engine_error
from modeltrail.infra.gateway.protocol.blocks import read_client_block
from modeltrail.infra.gateway.protocol.client_packets import Setting
from modeltrail.infra.gateway.protocol.source import ByteSource

_READER = Account.with_password(
    "reader", "secret", "reader", databases=("open", "o`dd"), limits={"max_execution_time": 5}
)


def test_accounts_are_written_privately_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    path.write_text("old")
    path.chmod(0o644)

    write_accounts(path, [_READER, Account.with_password("writer", "w", "writer")])

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "secret" not in path.read_text()
    assert parse_accounts(path.read_text())[0] == _READER


def test_only_the_right_password_authenticates() -> None:
    assert authenticate([_READER], "reader", "secret") == _READER
    assert authenticate([_READER], "reader", "Secret") is None
    assert authenticate([_READER], "other", "secret") is None
    assert "2bb80d" not in repr(_READER)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense", "must be JSON"),
        ("[]", "must be JSON"),
        ('{"accounts": [{"name": "x"}]}', "role"),
        ('{"accounts": [{"name": "", "role": "writer", "password_sha256": ""}]}', "name"),
        ('{"accounts": [{"name": "x", "role": "king", "password_sha256": ""}]}', "role"),
        ('{"accounts": [{"name": "x", "role": "writer", "password_sha256": "p"}]}', "hex"),
        ('{"accounts": [{"name": "x", "role": "writer", "password": "p"}]}', "password"),
    ],
)
def test_a_wrong_accounts_file_says_what_to_change(text: str, problem: str) -> None:
    with pytest.raises(AccountsError, match=problem):
        parse_accounts(text)


def test_a_reader_without_databases_or_with_odd_limits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    for broken in (
        Account.with_password("r", "p", "reader"),
        Account.with_password("r", "p", "reader", databases=("d",), external_sources=True),
        Account.with_password("w", "p", "writer", limits={"x = 1, readonly": 0}),
        Account.with_password("w", "p", "writer", limits={"max_threads": -1}),
    ):
        write_accounts(path, [broken])
        with pytest.raises(AccountsError):
            parse_accounts(path.read_text())


def test_the_engines_roles_hold_no_password_and_quote_names(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config", [_READER])

    users = (tmp_path / "config" / "users.xml").read_text()
    assert str(tmp_path / "config" / "users.xml") in config.read_text()
    assert "GRANT SELECT, SHOW, dictGet ON `o\\`dd`.*" in users
    assert role_of(_READER) in users
    assert _READER.password_sha256 not in users


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("Code: 60. DB::Exception: Unknown x. (UNKNOWN_TABLE)", 60,
         "DB::Exception: Unknown x. (UNKNOWN_TABLE)"),
        ("Streaming query failed: Code: 394. DB::Exception: Gone. (QUERY_WAS_CANCELLED)", 394,
         "DB::Exception: Gone. (QUERY_WAS_CANCELLED)"),
        ("Code: 115. DB::Exception: Code: 115. DB::Exception: Unknown setting 'x'. "
         "(UNKNOWN_SETTING) (version 26.9.2.1). (UNKNOWN_SETTING)", 115,
         "DB::Exception: Unknown setting 'x'. (UNKNOWN_SETTING)"),
        ("Code: 521. DB::ErrnoException: Cannot rename: , errno: 17. (ATOMIC_RENAME_FAIL)", 521,
         "DB::ErrnoException: Cannot rename: , errno: 17. (ATOMIC_RENAME_FAIL)"),
        ("something else", 1001, "DB::Exception: something else"),
    ],
)  # fmt: skip
def test_engine_errors_are_read(text: str, code: int, message: str) -> None:
    error = engine_error(text)

    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize(
    ("text", "into", "rows"),
    [
        ("INSERT INTO t VALUES", "t", "blocks"),
        ("insert t format Native", "t", "blocks"),
        ("INSERT INTO t", "t", "blocks"),
        ('/* x */ INSERT INTO `a b`."c" (`x`, y) VALUES ;', '`a b`."c" (`x`, y)', "blocks"),
        ("INSERT INTO TABLE d . t VALUES (1)", "d . t", "inline"),
        ("INSERT INTO FUNCTION null('x UInt8') VALUES", "FUNCTION null('x UInt8')", "blocks"),
        ("INSERT INTO TABLE FUNCTION f(g(1), ')') SELECT 1", "FUNCTION f(g(1), ')')", "select"),
        ("INSERT INTO t (SELECT 1)", "t", "select"),
        ("INSERT INTO t (a) WITH 1 AS x SELECT x", "t (a)", "select"),
        ("INSERT INTO t (* EXCEPT(a, b)) VALUES", "t (* EXCEPT(a, b))", "blocks"),
        ('INSERT INTO t FORMAT JSONEachRow {"a": 1}', "t", "inline"),
    ],
)
def test_inserts_are_read(text: str, into: str, rows: str) -> None:
    insert = sql.parse_insert(text)

    assert insert is not None
    assert (insert.into, insert.rows) == (into, rows)


def test_the_settings_of_an_insert_are_kept() -> None:
    insert = sql.parse_insert("INSERT INTO t SETTINGS a = 1, b = 'VALUES' VALUES")

    assert insert is not None
    assert insert.settings == "SETTINGS a = 1, b = 'VALUES'"


def test_other_statements_are_no_inserts() -> None:
    assert sql.parse_insert("SELECT 'INSERT INTO t VALUES'") is None
    assert sql.parse_insert("-- INSERT INTO t\nSELECT 1") is None


@pytest.mark.parametrize("text", ["SELECT 1; SELECT 2", ";;", "", "SELECT 1 /* ; */ ; x"])
def test_more_or_less_than_one_statement_is_refused(text: str) -> None:
    with pytest.raises(GatewayError) as caught:
        sql.single_statement(text)

    assert caught.value.code == 62


def test_semicolons_inside_a_statement_are_part_of_it() -> None:
    text = "SELECT ';', `a;b`, \";\", $x$;$x$, 'it''s;' /* ; */ # ;\n -- ;"

    assert sql.single_statement(text + "\n;")[0] == text[: text.index(" /*")]


def test_settings_that_would_change_the_protocol_are_refused() -> None:
    known = {"extremes", "max_threads"}

    assert settings.checked([Setting("extremes", "0", important=False)], known) == {"extremes": "0"}
    assert settings.checked([Setting("x", "1", important=False)], known) == {}
    assert settings.checked([Setting("x", "1", important=True)], known) == {"x": "1"}
    with pytest.raises(GatewayError) as caught:
        settings.checked([Setting("extremes", "1", important=False)], known)
    assert caught.value.code == 48


_TREE = "SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n"


@pytest.mark.parametrize(
    "line",
    [
        "  Function file (children 1)",
        "  Function FILE (alias x) (children 1)",
        "  Function aiGenerate (children 1)",
        "  Identifier file",
        "  Identifier File (alias x)",
        "  Identifier system.processes",
        "  TableIdentifier system.processes (alias p)",
        "  TableExpression (children 1)\n   Function url (children 1)",
        "  TableExpression (children 1)\n   Function merge (alias m) (children 1)",
        "  Set",
        "  Identifier a\nFunction file (children 1)",
    ],
)
def test_the_guard_refuses_wherever_it_stands(line: str) -> None:
    with pytest.raises(GatewayError) as caught:
        readers_guard.check_statement(_TREE + line, "SELECT", ["open"], ["url", "merge"])

    assert caught.value.code in (164, 497)


@pytest.mark.parametrize(
    "line",
    [
        "  Function sum (children 1)",
        "  Identifier t.file",
        "  Literal 'file'",
        "  TableIdentifier system.columns (alias c)",
        "  TableExpression (children 1)\n   Function numbers (children 1)",
        "  TableExpression (children 1)\n   Function registry_at (alias z) (children 1)",
    ],
)
def test_the_guard_lets_plain_queries_pass(line: str) -> None:
    readers_guard.check_statement(_TREE + line, "SELECT", ["open"], ["url", "numbers"])


def test_json_dynamic_and_variant_columns_of_the_engine_are_walked() -> None:
    # One row of JSON, Dynamic and Variant(Int32, String) between two numbers, as the engine
    # writes `SELECT 1, '{"a": 1}'::JSON, 5::Dynamic, 'a'::Variant(Int32, String), 1`.
    engine = (
        b"\x05\x01\x01x\x05Int32\x01\x00\x00\x00"
        b"\x01y\x04JSON" + bytes(8) + b"\x01\x01\x01a\x01" + bytes(7) + b"\x01\x01\x05Int64"
        + bytes(8) + b"\x00\x01" + bytes(15)
        + b"\x01z\x07Dynamic\x01" + bytes(7) + b"\x01\x01\x05Int64" + bytes(8) + b"\x00\x05"
        + bytes(7)
        + b"\x01v\x16Variant(Int32, String)" + bytes(8) + b"\x01\x01a"
        + b"\x01x\x05Int32\x01\x00\x00\x00"
    )  # fmt: skip
    copied = bytearray()

    head = read_client_block(ByteSource(first=b"\x00" + engine), 54453, copied.extend)

    assert copied == engine
    assert [column.name for column in head.columns] == [b"x", b"y", b"z", b"v", b"x"]
