"""Large results in constant memory, cancelling, pinging and many clients at once."""

import threading

from clickhouse_driver import Client

from tests.waiting import eventually

from .conftest import Gateway


def test_a_huge_result_is_streamed_in_constant_memory(gateway: Gateway, client: Client) -> None:
    rows = client.execute_iter(
        "SELECT number, randomPrintableASCII(1000) FROM numbers(600000)",
        settings={"max_block_size": 5000},
    )
    next(rows)
    before = gateway.rss()
    total, most = 1, before
    for number, text in rows:
        total += 1
        assert len(text) == 1000
        if number % 20_000 == 0:
            most = max(most, gateway.rss())

    assert total == 600_000
    assert most - before < 150 << 20


def test_a_slow_reader_does_not_fill_the_gateways_memory(gateway: Gateway, client: Client) -> None:
    rows = client.execute_iter(
        "SELECT randomPrintableASCII(10000) FROM numbers(1000000)",
        settings={"max_block_size": 1000},
    )
    next(rows)
    with gateway.client() as other:
        other.execute("SELECT sum(sipHash64(number)) FROM numbers(30000000)")

    assert gateway.rss() < 1 << 30
    client.disconnect()


def test_cancel_stops_the_query_and_the_connection_goes_on(
    gateway: Gateway, client: Client
) -> None:
    progress = client.execute_with_progress("SELECT sum(sipHash64(number)) FROM numbers(1e13)")
    next(progress)

    client.cancel()

    assert client.connection.connected
    assert client.execute("SELECT 1") == [(1,)]
    with gateway.client() as other:
        # The engine may still have the query of a client that left before.
        eventually(lambda: other.execute("SELECT count() FROM system.processes") == [(1,)])


def test_cancel_in_the_middle_of_a_result(client: Client) -> None:
    rows = client.execute_iter("SELECT number FROM system.numbers")
    assert next(rows) == (0,)

    client.cancel()

    assert client.execute("SELECT 1") == [(1,)]


def test_a_client_that_leaves_stops_its_query(gateway: Gateway, client: Client) -> None:
    leaving = gateway.client()
    progress = leaving.execute_with_progress("SELECT sum(sipHash64(number)) FROM numbers(1e13)")
    next(progress)

    leaving.disconnect()

    eventually(lambda: client.execute("SELECT count() FROM system.processes") == [(1,)])


def test_ping_is_answered_while_others_work(gateway: Gateway, client: Client) -> None:
    busy = client.execute_with_progress("SELECT sum(sipHash64(number)) FROM numbers(1e13)")
    next(busy)
    with gateway.client() as other:
        other.execute("SELECT 1")

        assert other.connection.ping()
    client.cancel()


def test_many_clients_work_at_once(gateway: Gateway, client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    database = client.execute("SELECT currentDatabase()")[0][0]
    sums: list[int] = []

    def work(number: int) -> None:
        with gateway.client(database=database) as own:
            for step in range(5):
                own.execute("INSERT INTO t VALUES", [(number * 100 + step,)])
                sums.append(own.execute("SELECT sum(number) FROM numbers(100000)")[0][0])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sums == [4_999_950_000] * 100
    assert client.execute("SELECT count(), uniqExact(a) FROM t") == [(100, 100)]
