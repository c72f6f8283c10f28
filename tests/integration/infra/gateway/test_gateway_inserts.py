"""Inserts through the gateway: many blocks, deduplication, and clients that die in the middle."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import psutil
import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from tests.waiting import eventually

from .conftest import Gateway

_DEDUPLICATING = "ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100"


def count(client: Client, table: str = "t") -> int:
    return int(client.execute(f"SELECT count() FROM {table}")[0][0])


def test_an_insert_of_many_blocks_is_complete(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")

    written = client.execute(
        "INSERT INTO t VALUES",
        ((number, f"row {number}") for number in range(100_000)),
        settings={"insert_block_size": 1000},
    )

    assert written == 100_000
    assert client.execute("SELECT count(), sum(a), max(length(b)) FROM t") == [
        (100_000, 100_000 * 99_999 // 2, 9)
    ]


def test_an_insert_larger_than_memory_allows_goes_through_a_file(
    gateway: Gateway, client: Client
) -> None:
    client.execute("CREATE TABLE t (a UInt64, b UInt64, c UInt64, d UInt64) ENGINE = Null")
    client.execute("CREATE TABLE sums (n UInt64, a UInt64) ENGINE = Memory")
    client.execute("CREATE MATERIALIZED VIEW v TO sums AS SELECT count() n, sum(a) a FROM t")
    database = client.execute("SELECT currentDatabase()")[0][0]
    numbers = np.arange(6_000_000, dtype=np.uint64)
    with gateway.client(database=database, settings={"use_numpy": True}) as other:
        before = gateway.rss()
        other.execute("INSERT INTO t VALUES", [numbers] * 4, columnar=True)
        grown = gateway.rss() - before

    assert client.execute("SELECT sum(n), sum(a) FROM sums") == [
        (len(numbers), int(numbers.sum(dtype=np.uint64)))
    ]
    assert grown < 400 << 20


def test_an_insert_of_no_rows_is_fine(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")

    client.execute("INSERT INTO t VALUES", [])

    assert count(client) == 0


def test_inserts_take_columns_defaults_and_special_names(client: Client) -> None:
    client.execute(
        "CREATE TABLE `odd name.x` (a UInt8, `b c` String DEFAULT 'd', m UInt8 MATERIALIZED a + 1, "
        "`n.x` Array(UInt8), z UInt8 ALIAS a) ENGINE = Memory"
    )

    client.execute("INSERT INTO `odd name.x` (a) VALUES", [(1,)])
    client.execute('INSERT INTO "odd name.x" ( `b c`, /* x */ a) FORMAT Native', [("e", 2)])
    client.execute("INSERT INTO TABLE `odd name.x` VALUES", [(3, "f", [7])])
    client.execute("INSERT INTO `odd name.x` (* EXCEPT(`b c`)) VALUES", [(4, [8])])
    client.execute("INSERT INTO `odd name.x` (n.x, a) SETTINGS async_insert = 0 VALUES", [([], 5)])

    assert client.execute("SELECT a, `b c`, m, n.x FROM `odd name.x` ORDER BY a") == [
        (1, "d", 2, []),
        (2, "e", 3, []),
        (3, "f", 4, [7]),
        (4, "d", 5, [8]),
        (5, "d", 6, []),
    ]


def test_inserts_with_rows_in_the_statement(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8, b String) ENGINE = Memory")

    client.execute("INSERT INTO t VALUES (1, 'x;y'), (2, '-- z')")
    client.execute('INSERT INTO t FORMAT JSONEachRow {"a": 3, "b": "j"}')
    client.execute("INSERT INTO t (b) FORMAT CSV\nc\n")

    assert client.execute("SELECT * FROM t ORDER BY a") == [
        (0, "c"),
        (1, "x;y"),
        (2, "-- z"),
        (3, "j"),
    ]


def test_inserts_from_selects(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8) ENGINE = Memory")

    client.execute("INSERT INTO t SELECT number FROM numbers(3)")
    client.execute("INSERT INTO t (a) (SELECT 7)")
    client.execute("INSERT INTO t WITH 8 AS x SELECT x")
    client.execute("WITH y AS (SELECT 9 AS x) INSERT INTO t SELECT x FROM y")

    assert client.execute("SELECT * FROM t ORDER BY a") == [(0,), (1,), (2,), (7,), (8,), (9,)]


@pytest.mark.parametrize(
    ("sql", "rows", "code"),
    [
        ("INSERT INTO t (nope) VALUES", [(1,)], 16),
        ("INSERT INTO nope VALUES", [(1,)], 60),
        ("INSERT INTO t (b) VALUES", [("x" * 10,)], 469),
    ],
)
def test_a_refused_insert_keeps_nothing(
    client: Client, sql: str, rows: list[tuple[object]], code: int
) -> None:
    client.execute(
        "CREATE TABLE t (a UInt8, b String, CONSTRAINT short CHECK length(b) < 5) ENGINE = Memory"
    )

    with pytest.raises(ServerException) as caught:
        client.execute(sql, rows)

    assert caught.value.code == code
    assert count(client) == 0


def test_a_view_that_refuses_the_rows_refuses_the_insert(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    client.execute("CREATE TABLE sums (a UInt8) ENGINE = Memory")
    client.execute("CREATE MATERIALIZED VIEW v TO sums AS SELECT throwIf(a = 5) AS a FROM t")

    with pytest.raises(ServerException) as caught:
        client.execute("INSERT INTO t VALUES", [(5,)])

    assert caught.value.code == 395


def test_the_same_token_and_rows_twice_are_kept_once(client: Client) -> None:
    client.execute(f"CREATE TABLE t (a UInt64) {_DEDUPLICATING}")
    rows = [(number,) for number in range(1000)]

    for token in ("one", "one", "two"):
        client.execute("INSERT INTO t VALUES", rows, settings={"insert_deduplication_token": token})
    client.execute("INSERT INTO t VALUES", [(5000,)])

    assert count(client) == 2001


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_committed_rows_and_tokens_survive_the_gateways_end(
    own_gateway: Gateway, number: signal.Signals
) -> None:
    token = {"insert_deduplication_token": "once"}
    rows = [(number,) for number in range(50_000)]
    client = own_gateway.client()
    client.execute("CREATE DATABASE d")
    client.execute(f"CREATE TABLE d.t (a UInt64) {_DEDUPLICATING}")
    client.execute("INSERT INTO d.t VALUES", rows, settings=token)

    own_gateway.end(number)
    own_gateway.start()
    client = own_gateway.client()
    assert count(client, "d.t") == 50_000
    client.execute("INSERT INTO d.t VALUES", rows, settings=token)
    assert count(client, "d.t") == 50_000
    client.execute("INSERT INTO d.t VALUES", rows, settings={"insert_deduplication_token": "new"})
    assert count(client, "d.t") == 100_000


@pytest.mark.parametrize("compression", ["", "lz4"])
def test_a_client_that_dies_in_an_insert_leaves_nothing(
    gateway: Gateway, client: Client, compression: str
) -> None:
    client.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    database = client.execute("SELECT currentDatabase()")[0][0]
    script = f"""
        import sys
        from clickhouse_driver import Client
        client = Client(
            "127.0.0.1", port={gateway.port}, user="writer", password="secret w",
            database={database!r}, compression={compression or False!r},
            settings={{"insert_block_size": 1_200_000, "min_insert_block_size_rows": 1}},
        )
        def rows():
            for number in range(1 << 40):
                yield (number,)
                if number == 6_000_000:
                    print("sent", flush=True)
        client.execute("INSERT INTO t VALUES", rows())
    """
    dying = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    assert dying.stdout is not None
    assert dying.stdout.readline() == "sent\n"
    [connection] = psutil.Process(dying.pid).net_connections("tcp")
    assert connection.raddr.port == gateway.port

    os.kill(dying.pid, signal.SIGKILL)
    dying.wait()
    dying.stdout.close()
    # The gateway has noticed, and is done with what it got.
    eventually(lambda: not gateway.holds(connection.laddr.port))

    client.execute("INSERT INTO t VALUES", [(1,)])
    assert count(client) == 1
    eventually(lambda: client.execute("SELECT count() FROM system.processes") == [(1,)])
    assert count(client) == 1


def test_a_cancelled_insert_keeps_nothing_and_the_connection_goes_on(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    connection = client.get_connection()
    connection.send_query("INSERT INTO t VALUES")
    connection.send_external_tables([])
    client.receive_sample_block()

    connection.send_cancel()

    assert connection.receive_packet().exception.code == 394
    connection.is_query_executing = False
    assert client.execute("SELECT count() FROM t") == [(0,)]
