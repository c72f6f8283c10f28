"""Reader accounts: what they can do, and many ways in which they cannot do more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from .conftest import Gateway


@pytest.fixture(scope="module")
def reader(gateway: Gateway) -> Iterator[Client]:
    """A reader of the database `open`, beside a database `closed` that it may not see."""
    with gateway.client() as writer:
        for name in ("open", "closed"):
            writer.execute(f"CREATE DATABASE {name}")
            writer.execute(
                f"CREATE TABLE {name}.t (a UInt8, b String) ENGINE = MergeTree ORDER BY a"
            )
            writer.execute(f"INSERT INTO {name}.t VALUES", [(1, name)])
        writer.execute("CREATE TABLE closed.hidden (s UInt8) ENGINE = MergeTree ORDER BY s")
        writer.execute("CREATE VIEW open.own AS SELECT * FROM open.t")
        writer.execute("CREATE VIEW open.at AS SELECT * FROM open.t WHERE a = {x:UInt8}")
        writer.execute("CREATE VIEW open.through AS SELECT * FROM closed.t")
        writer.execute("CREATE VIEW open.shared SQL SECURITY NONE AS SELECT a FROM closed.t")
        writer.execute("CREATE TABLE open.merged AS closed.t ENGINE = Merge('closed', 't')")
        gateway.client("trusted").execute(
            "CREATE DICTIONARY closed.d (a UInt8, b String) PRIMARY KEY a "
            "SOURCE(CLICKHOUSE(DB 'closed' TABLE 't')) LAYOUT(FLAT()) LIFETIME(0)"
        )
        writer.execute("CREATE TABLE closed.j (a UInt8, b String) ENGINE = Join(ANY, LEFT, a)")
        with gateway.client("reader") as reader:
            yield reader
        for name in ("open", "closed"):
            writer.execute(f"DROP DATABASE {name} SYNC")


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT * FROM t", [(1, "open")]),
        ("SELECT * FROM open.own", [(1, "open")]),
        ("SELECT * FROM at(x = 1)", [(1, "open")]),
        ("SELECT * FROM open.at(x = 1)", [(1, "open")]),
        ("SELECT * FROM open.shared", [(1,)]),
        ("WITH x AS (SELECT a FROM t) SELECT a IN x, a IN (SELECT 1) FROM t", [(1, 1)]),
        ("SELECT max(number) FROM numbers(10)", [(9,)]),
        ("SELECT * FROM values('a UInt8', 1, 2) UNION ALL SELECT 3", [(1,), (2,), (3,)]),
        ("SHOW DATABASES", [("open",)]),
        ("SHOW TABLES LIKE 't'", [("t",)]),
        ("EXISTS open.t", [(1,)]),
        ("SELECT name FROM system.tables WHERE name IN ('t', 'hidden')", [("t",)]),
        ("SELECT table, name FROM system.columns WHERE table IN ('t', 'hidden') ORDER BY name",
         [("t", "a"), ("t", "b")]),
        ("SELECT table_name FROM information_schema.tables WHERE table_name IN ('t', 'hidden')",
         [("t",)]),
        ("SELECT currentDatabase()", [("open",)]),
        ("SELECT 1 /* ; SET readonly = 0 */ -- ;", [(1,)]),
    ],
)  # fmt: skip
def test_a_reader_reads_its_databases(reader: Client, sql: str, rows: list[object]) -> None:
    assert reader.execute(sql) in (rows, rows[::-1])


def test_a_reader_describes_explains_and_uses(reader: Client) -> None:
    assert [row[0] for row in reader.execute("DESCRIBE open.t")] == ["a", "b"]
    assert [row[0] for row in reader.execute("DESCRIBE (SELECT a FROM t)")] == ["a"]
    assert reader.execute("SHOW CREATE TABLE t")
    assert reader.execute("SHOW COLUMNS FROM t")
    assert reader.execute("EXPLAIN SELECT * FROM t")
    assert reader.execute("USE open") == []


def test_a_readers_parameters_are_bound(gateway: Gateway, reader: Client) -> None:
    with gateway.client("reader", settings={"server_side_params": True}) as bound:
        assert bound.execute("SELECT b FROM t WHERE b = {x:String}", {"x": "open"}) == [("open",)]


_NO_WRITES = [
    "INSERT INTO t VALUES (2, 'x')",
    "INSERT INTO t SELECT 2, 'x'",
    "INSERT INTO FUNCTION null('a UInt8') VALUES (1)",
    "CREATE TABLE open.x (a UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE x (a UInt8)",
    "CREATE VIEW open.x AS SELECT 1",
    "CREATE FUNCTION f AS x -> x",
    "CREATE DATABASE x",
    "DROP TABLE t",
    "ALTER TABLE t DELETE WHERE 1",
    "DELETE FROM t WHERE 1",
    "TRUNCATE TABLE t",
    "OPTIMIZE TABLE t",
    "RENAME TABLE t TO u",
    "ATTACH TABLE x",
    "DETACH TABLE t",
    "SET readonly = 0",
    "SET max_memory_usage = 0",
    "SET param_x = 1",
    "SET ROLE modeltrail_writer",
    "SET ROLE NONE",
    "SET DEFAULT ROLE NONE TO default",
    "GRANT ALL ON *.* TO default",
    "EXECUTE AS default SELECT 1",
    "KILL QUERY WHERE 1",
    "SYSTEM FLUSH LOGS",
    "BACKUP TABLE t TO File('/tmp/x')",
    "SHOW PROCESSLIST",
    "SHOW GRANTS",
    "CHECK TABLE t",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_execution_time = 1000",
    "SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)",
    "EXPLAIN SELECT 1 SETTINGS max_memory_usage = 0",
    "WITH x AS (SELECT 1 SETTINGS readonly = 0) SELECT * FROM x",
    "SELECT 1 IN (SELECT 1 SETTINGS max_result_rows = 0)",
    "BEGIN TRANSACTION",
]


@pytest.mark.parametrize("sql", _NO_WRITES)
def test_a_reader_changes_nothing(reader: Client, sql: str) -> None:
    with pytest.raises(ServerException) as caught:
        reader.execute(sql)

    assert caught.value.code in (164, 497)
    assert reader.execute("SELECT getSetting('readonly'), currentRoles()[1]") == [
        (1, f"reader_{b'reader'.hex()}")
    ]


_NO_ESCAPES = [
    "SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS p)",
    "SELECT * APPLY file FROM (SELECT '/etc/passwd' AS p)",
    "SELECT * APPLY(x -> file(x)) FROM (SELECT '/etc/passwd' AS p)",
    "SELECT COLUMNS('p') APPLY(getServerSetting) FROM (SELECT 'max_connections' AS p)",
    "SHOW TABLES FROM open WHERE CAST(file('/etc/passwd'), 'UInt8')",
    "SHOW COLUMNS FROM t WHERE file('/etc/passwd') = ''",
    "SHOW INDEXES FROM t WHERE (SELECT count() FROM system.processes) > 0",
    "SHOW TABLES LIMIT (SELECT count() FROM system.processes)",
    "SELECT file('/etc/passwd')",
    "SELECT FILE('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    "SELECT `fi\\x6ce`('/etc/passwd')",
    "SELECT \"file\"('/etc/passwd')",
    "SELECT file /* x */ ('/etc/passwd')",
    "SELECT file\n-- x\n('/etc/passwd')",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    "SELECT arrayMap(`file`, ['/etc/passwd'])",
    "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
    "WITH x -> file(x) AS f SELECT f('/etc/passwd')",
    "WITH file AS f SELECT arrayMap(f, ['/etc/passwd'])",
    "SELECT 1 WHERE file('/etc/passwd') != ''",
    "SELECT (SELECT file('/etc/passwd'))",
    "SELECT * FROM view(SELECT file('/etc/passwd'))",
    "EXPLAIN SELECT file('/etc/passwd')",
    "EXPLAIN QUERY TREE SELECT file('/etc/passwd')",
    "DESCRIBE (SELECT file('/etc/passwd') AS x)",
    "SELECT '/etc/passwd' AS p, a AS `x\nLiteral 'y'` FROM t ORDER BY file(p)",
    "SELECT * FROM file('/etc/passwd', LineAsString)",
    "SELECT * FROM `file`('/etc/passwd', LineAsString)",
    "DESCRIBE TABLE file('/etc/passwd', LineAsString)",
    "SELECT 1 IN (SELECT 1 FROM file('/etc/passwd', LineAsString))",
    "WITH x AS (SELECT * FROM file('/etc/passwd', LineAsString)) SELECT * FROM x",
    "SELECT * FROM t JOIN file('/etc/passwd', LineAsString) AS f ON 1",
    "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
    "SELECT * FROM s3('http://127.0.0.1:1/x', LineAsString)",
    "SELECT * FROM remote('127.0.0.1', closed.t)",
    "SELECT * FROM remoteSecure('127.0.0.1', closed.t)",
    "SELECT * FROM cluster('default', closed.t)",
    "SELECT * FROM clusterAllReplicas('default', closed.t)",
    "SELECT * FROM executable('x', TSV, 'a String')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM sqlite('/tmp/x', 'y')",
    "SELECT * FROM python(a)",
    "SELECT * FROM merge('closed', 't')",
    "SELECT * FROM merge(REGEXP('.*'), 'processes')",
    "SELECT * FROM mergeTreeIndex('closed', 't')",
    "SELECT * FROM loop(closed.t)",
    "SELECT * FROM dictionary('closed.d')",
    "SELECT * FROM fuzzQuery('SELECT 1')",
    "SELECT * FROM format(TSV, 'a')",
    "SELECT * FROM closed.t",
    "SELECT * FROM `closed`.`t`",
    "SELECT * FROM (SELECT * FROM closed.t)",
    "SELECT 1 IN closed.hidden",
    "SELECT (SELECT b FROM closed.t)",
    "SELECT * FROM view(SELECT * FROM closed.t)",
    "SELECT * FROM viewIfPermitted(SELECT 'x' AS b ELSE null('b String'))",
    "SELECT * FROM through",
    "SELECT joinGet('closed.j', 'b', 1)",
    "SELECT dictGet('closed.d', 'b', 1)",
    "SELECT hasColumnInTable('closed', 't', 'a')",
    "DESCRIBE closed.t",
    "SHOW CREATE TABLE closed.t",
    "EXISTS closed.t",
    "EXPLAIN SELECT * FROM closed.t",
    "EXPLAIN ESTIMATE SELECT * FROM closed.t",
    "USE closed",
    "USE system",
    "SELECT * FROM system.processes",
    "SELECT * FROM system.`processes`",
    "SELECT * FROM `sys\\x74em`.processes",
    "SELECT 1 IN system.processes",
    "SELECT * FROM view(SELECT query FROM system.processes)",
    "SELECT * FROM system.query_log",
    "SELECT * FROM system.stack_trace",
    "SELECT * FROM system.parts",
    "SELECT * FROM system.users",
    "SELECT * FROM system.server_settings",
    "SELECT * FROM system.dictionaries",
    "SELECT getServerSetting('max_connections')",
    "SELECT getMacro('x')",
    "SELECT aiGenerate('x')",
    "SELECT filesystemAvailable()",
    "SELECT __actionName('x', 'y')",
]


_WRITES_A_FILE = [
    "EXPLAIN SELECT format a settings, 1 FROM (SELECT 1 AS settings) INTO OUTFILE '{}' TRUNCATE",
    "SELECT format a settings, 'x' AS insert FROM (SELECT 1 AS format, 2 AS settings) "
    "INTO OUTFILE '{}' APPEND",
    "EXPLAIN SELECT 1 AS a$b$ INTO OUTFILE '{}' TRUNCATE --$b$",
    "EXPLAIN SELECT 1a$b$ INTO OUTFILE '{}' TRUNCATE --$b$",
    "SELECT 1 `INTO` INTO OUTFILE '{}'",
]


@pytest.mark.parametrize("user", ["reader", "writer"])
@pytest.mark.parametrize("sql", _WRITES_A_FILE)
def test_no_statement_writes_a_file(
    gateway: Gateway, reader: Client, tmp_path: Path, user: str, sql: str
) -> None:
    assert reader.execute("SELECT 1")
    with gateway.client(user) as client, pytest.raises(ServerException):
        client.execute(sql.format(tmp_path / "written"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sql", _NO_ESCAPES)
def test_a_reader_does_not_get_out(reader: Client, sql: str) -> None:
    with pytest.raises(ServerException) as caught:
        reader.execute(sql)

    assert caught.value.code in (497, 701)  # 701: the engine has no clusters at all


def test_a_reader_finds_nothing_in_tables_of_tables_that_it_may_not_see(reader: Client) -> None:
    assert reader.execute("SELECT * FROM merged") == []
    assert reader.execute("SHOW TABLES FROM closed") == []
    assert reader.execute("SELECT count() FROM system.columns WHERE database = 'closed'") == [(0,)]


def test_names_of_tables_as_parameters_are_refused(gateway: Gateway, reader: Client) -> None:
    with (
        gateway.client("reader", settings={"server_side_params": True}) as bound,
        pytest.raises(ServerException) as caught,
    ):
        bound.execute(
            "SELECT * FROM {d:Identifier}.{t:Identifier}", {"d": "system", "t": "processes"}
        )

    assert caught.value.code == 497


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SET ROLE modeltrail_writer",
        "SELECT 1;\nSELECT 2",
        "SELECT 'a\\';SET readonly=0; --'; SET ROLE modeltrail_writer",
        "SELECT 1 /* */; SET ROLE modeltrail_writer",
        "SELECT $x$ ' $x$; SET ROLE modeltrail_writer -- '",
        "SELECT `a;b\\``; SET ROLE modeltrail_writer",
        "SELECT \u2018a\u2019; SET ROLE modeltrail_writer",
        "SELECT 1 /* /* */ ; SET ROLE modeltrail_writer /* */ */",
    ],
)
def test_a_second_statement_is_never_run(reader: Client, sql: str) -> None:
    with pytest.raises(ServerException) as caught:
        reader.execute(sql)

    assert caught.value.code in (47, 62)
    assert reader.execute("SELECT currentRoles()") == [([f"reader_{b'reader'.hex()}"],)]


def test_a_reader_may_not_send_settings_or_tables(reader: Client) -> None:
    with pytest.raises(ServerException) as settings:
        reader.execute("SELECT 1", settings={"max_execution_time": 1000})
    with pytest.raises(ServerException) as tables:
        reader.execute(
            "SELECT 1",
            external_tables=[{"name": "x", "structure": [("a", "UInt8")], "data": [{"a": 1}]}],
        )

    assert (settings.value.code, tables.value.code) == (164, 164)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT number FROM numbers(1000000)", 396),
        ("SELECT groupArray(number) FROM numbers(100000000)", 241),
        ("SELECT sum(sipHash64(number)) FROM numbers(1e13)", 159),
    ],
)
def test_a_readers_limits_hold(reader: Client, sql: str, code: int) -> None:
    with pytest.raises(ServerException) as caught:
        reader.execute(sql)

    assert caught.value.code == code


def test_a_reader_cannot_connect_to_another_database(gateway: Gateway, reader: Client) -> None:
    for database in ("closed", "system", "default", "nowhere"):
        with pytest.raises(ServerException) as caught:
            gateway.client("reader", database=database).execute("SELECT 1")
        assert caught.value.code == 497
