"""Statements through the gateway: results, parameters, settings, ids, errors with their codes."""

import threading

import numpy as np
import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from .conftest import Gateway


def code_of(client: Client, sql: str, **options: object) -> int:
    with pytest.raises(ServerException) as caught:
        client.execute(sql, **options)
    return int(caught.value.code)


def test_a_select_returns_rows_with_names_and_types(client: Client) -> None:
    rows, columns = client.execute("SELECT 1 AS a, 'x' AS b", with_column_types=True)

    assert rows == [(1, "x")]
    assert columns == [("a", "UInt8"), ("b", "String")]


def test_a_select_without_rows_still_tells_names_and_types(client: Client) -> None:
    answer = client.execute("SELECT toInt64(1) AS a WHERE 0", with_column_types=True)

    assert answer == ([], [("a", "Int64")])


def test_show_describe_exists_and_explain_return_rows(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8, b String) ENGINE = Memory")

    assert client.execute("SHOW TABLES") == [("t",)]
    assert [row[:2] for row in client.execute("DESCRIBE t")] == [("a", "UInt8"), ("b", "String")]
    assert client.execute("EXISTS t") == [(1,)]
    assert client.execute("EXPLAIN SELECT 1")


def test_session_state_lasts_and_stays_in_its_session(gateway: Gateway, client: Client) -> None:
    client.execute("CREATE TEMPORARY TABLE mine (a UInt8)")
    client.execute("INSERT INTO mine VALUES", [(7,)])
    client.execute("SET max_block_size = 777")

    assert client.execute("SELECT * FROM mine") == [(7,)]
    assert client.execute("SELECT getSetting('max_block_size')") == [(777,)]
    with gateway.client() as other:
        assert code_of(other, "SELECT * FROM mine") == 60


def test_settings_hold_for_one_query(client: Client) -> None:
    ask = "SELECT value, changed FROM system.settings WHERE name = 'max_threads'"
    client.execute("SET max_threads = 3")

    assert client.execute(ask, settings={"max_threads": 1}) == [("1", 1)]
    assert client.execute(ask) == [("3", 1)]


def test_an_unknown_important_setting_has_code_115(gateway: Gateway) -> None:
    with gateway.client(settings_is_important=True) as strict:
        assert code_of(strict, "SELECT 1", settings={"no_such_setting": 1}) == 115


def test_an_unknown_setting_in_the_statement_has_code_115(client: Client) -> None:
    assert code_of(client, "SELECT 1 SETTINGS no_such_setting = 1") == 115


def test_an_unknown_setting_that_is_not_important_is_left_out(client: Client) -> None:
    assert client.execute("SELECT 1", settings={"no_such_setting": 1}) == [(1,)]


def test_a_refused_setting_leaves_the_others_as_they_were(client: Client) -> None:
    bad = {"max_threads": 1, "max_block_size": "abc"}
    ask = "SELECT changed FROM system.settings WHERE name = 'max_threads'"

    assert code_of(client, "SELECT 1", settings=bad) == 27
    assert client.execute(ask) == [(0,)]


def test_parameters_are_bound_by_the_server(gateway: Gateway) -> None:
    text = "it's \\ a\ttab\nline\0 {x} ünïcode"
    with gateway.client(settings={"server_side_params": True}) as client:
        rows = client.execute(
            "SELECT {i:Int32} + 1, {s:String}, {a:Array(String)}",
            {"i": 41, "s": text, "a": ["q'", "w\\"]},
        )

    assert rows == [(42, text, ["q'", "w\\"])]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", 62),
        ("SELECT nope", 47),
        ("SELECT * FROM nope", 60),
        ("SELECT * FROM nope.nope", 81),
        ("SELECT nope(1)", 46),
        ("SELECT throwIf(number = 100000) FROM numbers(200000)", 395),
        ("SELECT toUInt8('x')", 6),
        ("INSERT INTO nope VALUES", 60),
        ("SELECT number FROM numbers(10) SETTINGS max_result_rows = 1", 396),
        ("CREATE TABLE t (a NoSuchType) ENGINE = Memory", 50),
    ],
)
def test_errors_have_their_true_codes(client: Client, sql: str, code: int) -> None:
    assert code_of(client, sql) == code
    assert client.execute("SELECT 1") == [(1,)]


def test_an_error_message_is_the_engines_own(client: Client) -> None:
    with pytest.raises(ServerException) as caught:
        client.execute("SELECT 1 SETTINGS no_such_setting = 1")

    assert caught.value.message.count("Unknown setting") == 1
    assert caught.value.message.startswith("DB::Exception: Unknown setting")


def test_several_statements_at_once_are_refused(client: Client) -> None:
    assert code_of(client, "SELECT 1; SELECT 2") == 62
    assert client.execute("SELECT ';' /* ; */; -- ;") == [(";",)]


@pytest.mark.parametrize(
    ("sql", "settings", "code"),
    [
        ("SELECT 1 INTO OUTFILE '/tmp/x'", {}, 48),
        ("SELECT 1 FORMAT Native INTO OUTFILE '/tmp/x'", {}, 48),
        ("INSERT INTO t FROM INFILE '/tmp/x'", {}, 48),
        ("SELECT 1, count() GROUP BY 1 WITH TOTALS", {}, 48),
        ("SELECT 1", {"extremes": 1}, 48),
        ("SELECT 1", {"send_logs_level": "debug"}, 48),
        ("SELECT 1", {"network_compression_method": "ZSTD"}, 48),
        ("INSERT INTO t SELECT x FROM input('x Int8') FORMAT Native", {}, 477),
    ],
)
def test_what_is_not_supported_is_refused_with_a_code(
    client: Client, sql: str, settings: dict[str, object], code: int
) -> None:
    client.execute("CREATE TABLE t (a Int8) ENGINE = Memory")

    assert code_of(client, sql, settings=settings) == code


def test_a_format_clause_is_left_to_the_client(client: Client) -> None:
    assert client.execute("SELECT 1 AS format FORMAT JSON") == [(1,)]
    assert client.execute("SELECT 2 FORMAT CSV SETTINGS max_threads = 1") == [(2,)]


def test_a_query_id_is_seen_and_kills_its_query(gateway: Gateway, client: Client) -> None:
    ask = "SELECT count() FROM system.processes WHERE endsWith(Settings['log_comment'], ' my id')"
    codes: list[int] = []
    running = gateway.client()
    thread = threading.Thread(
        target=lambda: codes.append(
            code_of(running, "SELECT sum(sipHash64(number)) FROM numbers(1e12)", query_id="my id")
        )
    )
    thread.start()

    while client.execute(ask) != [(1,)]:
        pass
    assert code_of(client, "SELECT 1", query_id="my id") == 216
    killed = client.execute("KILL QUERY WHERE query_id = 'my id' ASYNC")
    thread.join(30)

    assert [(status, query_id, user) for status, query_id, user, _ in killed] == [
        ("waiting", "my id", "writer")
    ]
    assert codes == [394]


def test_a_killed_query_whose_rows_were_being_read_does_not_end_as_if_it_had_no_more(
    gateway: Gateway, client: Client
) -> None:
    rows = gateway.client().execute_iter(
        "SELECT number, randomPrintableASCII(10000) FROM numbers(100000)",
        settings={"max_block_size": 1000},
        query_id="read slowly",
    )
    next(rows)

    assert client.execute("KILL QUERY WHERE query_id = 'read slowly' ASYNC")
    with pytest.raises(ServerException) as told:
        list(rows)

    assert told.value.code == 394


def test_progress_and_profile_tell_what_a_query_did(client: Client) -> None:
    client.execute("SELECT number FROM numbers(1000) WHERE number % 100 = 0")

    last = client.last_query
    assert last.progress.rows == 1000
    assert last.progress.bytes == 8000
    assert last.progress.total_rows == 1000
    assert last.progress.elapsed_ns > 0
    assert last.profile_info.rows == 10
    assert last.elapsed > 0


def test_progress_of_a_long_query_comes_while_it_runs(client: Client) -> None:
    progress = client.execute_with_progress("SELECT max(sipHash64(number)) FROM numbers(2e7)")
    steps = list(progress)

    assert len(steps) > 2
    assert [rows for rows, _ in steps] == sorted(rows for rows, _ in steps)
    assert steps[-1] == (20_000_000, 20_000_000)


def test_external_tables_are_visible_to_their_query_only(client: Client) -> None:
    tables = [
        {"name": "mine", "structure": [("x", "Int32")], "data": [{"x": 1}, {"x": 2}]},
        {"name": "none", "structure": [("y", "String")], "data": []},
    ]
    rows = client.execute("SELECT sum(x) FROM mine", external_tables=tables)

    assert rows == [(3,)]
    assert client.execute("SELECT * FROM none", external_tables=tables) == []
    assert code_of(client, "SELECT * FROM mine") == 60


def test_numpy_columns_are_read(gateway: Gateway) -> None:
    with gateway.client(settings={"use_numpy": True}) as client:
        numbers, texts = client.execute(
            "SELECT number, toString(number) FROM numbers(100000)", columnar=True
        )

    assert np.array_equal(numbers, np.arange(100_000, dtype=np.uint64))
    assert texts[-1] == "99999"


def test_the_default_database_shows_no_files(gateway: Gateway) -> None:
    with gateway.client() as client:
        client.execute("CREATE OR REPLACE TABLE default.t (a UInt8) ENGINE = Memory")
        client.execute("INSERT INTO t VALUES", [(1,)])

        assert client.execute("SELECT * FROM t") == [(1,)]
        assert code_of(client, "SELECT * FROM default.`/etc/passwd`") == 60


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT file('/etc/passwd')",
        "SELECT `fi\\x6ce`('/etc/passwd')",
        "SELECT arrayMap(file, ['/etc/passwd'])",
        "SELECT trim(BOTH 'x' FROM file('/etc/passwd'))",
        "SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS p)",
        "SELECT * APPLY file FROM (SELECT '/etc/passwd' AS p)",
        "SELECT 1 AS a$b$, file('/etc/passwd') --$b$",
        "CREATE DICTIONARY d (k UInt64) PRIMARY KEY k SOURCE(EXECUTABLE(command 'id' format 'CSV'))"
        " LAYOUT(FLAT()) LIFETIME(0)",
        "CREATE VIEW v SQL SECURITY NONE AS SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
        "CREATE VIEW v SQL SECURITY NONE AS SELECT * FROM file('/etc/passwd', LineAsString)",
        "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"
        " SETTINGS disk = disk(type = web, endpoint = 'http://127.0.0.1:1/')",
        "CREATE TABLE t (a String) ENGINE = FileLog('/tmp', 'LineAsString')",
        "SELECT * FROM file('/etc/passwd', LineAsString)",
        "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
        "SELECT * FROM remote('127.0.0.1', system.one)",
        "INSERT INTO FUNCTION file('/tmp/never', CSV, 'a UInt8') VALUES (1)",
        "CREATE TABLE t (a String) ENGINE = File(LineAsString, '/etc/passwd')",
        "CREATE TABLE t (a String) ENGINE = URL('http://127.0.0.1:1/', LineAsString)",
        "CREATE USER somebody",
        "SET ROLE modeltrail_trusted_writer",
        "SYSTEM SHUTDOWN",
    ],
)
def test_a_writer_reaches_no_files_and_networks(client: Client, sql: str) -> None:
    assert code_of(client, sql) == 497


def test_a_writer_with_external_sources_reads_files(gateway: Gateway) -> None:
    with gateway.client("trusted") as trusted:
        assert "root" in trusted.execute("SELECT file('/etc/passwd')")[0][0]
