"""Every type that clickhouse-driver knows goes in and comes back, plain and compressed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from .conftest import Gateway

_NOON = datetime(2026, 2, 3, 12, 30, 15, 123456)
_VALUES: list[tuple[str, list[Any]]] = [
    ("Int8", [-128, 127]),
    ("Int16", [-(2**15), 5]),
    ("Int32", [-(2**31), 5]),
    ("Int64", [-(2**63), 5]),
    ("Int128", [-(2**127), 5]),
    ("Int256", [-(2**255), 5]),
    ("UInt8", [0, 255]),
    ("UInt16", [0, 2**16 - 1]),
    ("UInt32", [0, 2**32 - 1]),
    ("UInt64", [0, 2**64 - 1]),
    ("UInt128", [0, 2**128 - 1]),
    ("UInt256", [0, 2**256 - 1]),
    ("Float32", [0.5, -2.25]),
    ("Float64", [0.1, float("inf")]),
    ("Bool", [True, False]),
    ("String", ["", "ü" * 300]),
    ("FixedString(4)", ["abcd", "wxyz"]),
    ("UUID", [UUID(int=5), UUID(int=2**128 - 1)]),
    ("Date", [date(1970, 1, 1), date(2026, 2, 3)]),
    ("Date32", [date(1925, 1, 1), date(2283, 11, 11)]),
    ("DateTime('UTC')", [_NOON.replace(microsecond=0)] * 2),
    ("DateTime64(6, 'UTC')", [_NOON.replace(tzinfo=UTC)] * 2),
    ("Decimal(9, 2)", [Decimal("1.25"), Decimal("-1234567.89")]),
    ("Decimal(18, 4)", [Decimal("1.2500"), Decimal("-12345678901234.5678")]),
    ("Decimal(38, 10)", [Decimal("1.25"), Decimal("-123456789012345678901234567.8")]),
    ("Decimal(76, 10)", [Decimal("1.25"), Decimal("-1234567890123456789012345678901234567.8")]),
    ("Enum8('a' = 1, 'b, (c)' = -2)", ["a", "b, (c)"]),
    ("Enum16('a' = 1, 'it\\'s' = 1000)", ["a", "it's"]),
    ("IPv4", [IPv4Address("1.2.3.4"), IPv4Address("0.0.0.0")]),
    ("IPv6", [IPv6Address("::1"), IPv6Address("2001:db8::ff")]),
    ("Nullable(Int32)", [None, 5]),
    ("Nullable(String)", [None, "x"]),
    ("LowCardinality(String)", ["a", "b"]),
    ("LowCardinality(Nullable(String))", [None, "b"]),
    ("LowCardinality(FixedString(2))", ["aa", "bb"]),
    ("Array(Int32)", [[], [1, 2, 3]]),
    ("Array(Nullable(String))", [[None, "x"], []]),
    ("Array(Array(Array(UInt8)))", [[[[1], []]], []]),
    ("Array(LowCardinality(String))", [["a", "b", "a"], ["c"]]),
    ("Tuple(Int32, String)", [(1, "a"), (2, "b")]),
    ("Tuple(a Int32, b Array(String))", [(1, ["a"]), (2, [])]),
    ("Array(Tuple(UInt8, String))", [[(1, "a"), (2, "b")], []]),
    ("Map(String, UInt64)", [{"a": 1, "b": 2}, {}]),
    ("Map(LowCardinality(String), Array(Nullable(Float64)))", [{"a": [None, 0.5]}, {"b": [1.5]}]),
    ("Point", [(0.5, 1.5), (2.5, 3.5)]),
    ("SimpleAggregateFunction(max, Float64)", [0.5, 1.5]),
    ("JSON", [{"a": {"b": 5}, "c": "x"}, {"d": [1, 2, 3], "e": 0.5}]),
]


@pytest.mark.parametrize("compression", [False, "lz4", "lz4hc"])
def test_all_types_go_in_and_come_back(
    gateway: Gateway, client: Client, compression: str | bool
) -> None:
    columns = [(f"c{index}", kind) for index, (kind, _) in enumerate(_VALUES)]
    client.execute(
        f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name, kind in columns)}) ENGINE = Memory"
    )
    rows = [
        tuple(values[row] for _, values in _VALUES)
        for row in (0, 1)
        for _ in range(40_000 if row else 1)
    ]
    database = client.execute("SELECT currentDatabase()")[0][0]
    with gateway.client(database=database, compression=compression) as other:
        other.execute("INSERT INTO t VALUES", rows[:2], settings={"insert_block_size": 1})
        other.execute("INSERT INTO t VALUES", rows[2:300])
        read = other.execute("SELECT * FROM t ORDER BY c3")

    assert read == rows[:300]


@pytest.mark.parametrize("kind", [kind for kind, _ in _VALUES])
def test_each_type_comes_back_alone(client: Client, kind: str) -> None:
    values = dict(_VALUES)[kind]
    client.execute(f"CREATE TABLE t (k UInt8, v {kind}, w UInt8) ENGINE = Memory")

    client.execute("INSERT INTO t VALUES", [(k, v, k) for k, v in enumerate(values)])

    assert client.execute("SELECT * FROM t ORDER BY k") == [(k, v, k) for k, v in enumerate(values)]


def test_json_with_declared_paths_is_read(client: Client) -> None:
    client.execute("CREATE TABLE t (a JSON(b UInt32, SKIP c), d UInt8) ENGINE = Memory")
    client.execute("""INSERT INTO t VALUES ('{"b": 7, "c": 1, "e": "x"}', 1), ('{"b": 8}', 2)""")

    rows = client.execute("SELECT a.b, a.e.:String, d FROM t ORDER BY d")
    assert rows == [(7, "x", 1), (8, None, 2)]


def test_a_type_that_cannot_be_carried_is_refused(client: Client) -> None:
    with pytest.raises(ServerException) as caught:
        client.execute("SELECT sumState(1), 1")

    assert caught.value.code == 48


@pytest.mark.parametrize("compression", [False, "lz4"])
def test_numpy_columns_are_inserted(
    gateway: Gateway, client: Client, compression: str | bool
) -> None:
    count = 100_000
    client.execute(
        "CREATE TABLE t (a UInt64, b Float64, c Nullable(Float64), d LowCardinality(String), "
        "e DateTime64(6, 'UTC'), f String) ENGINE = MergeTree ORDER BY a"
    )
    columns = [
        np.arange(count, dtype=np.uint64),
        np.linspace(0, 1, count),
        np.linspace(0, 1, count),
        np.array(["x", "y", "z"], dtype=object)[np.arange(count) % 3],
        np.datetime64("2026-01-01T00:00:00", "us") + np.arange(count),
        np.array([f"node-{number}" for number in range(count)], dtype=object),
    ]
    database = client.execute("SELECT currentDatabase()")[0][0]
    with gateway.client(
        database=database, compression=compression, settings={"use_numpy": True}
    ) as other:
        other.execute("INSERT INTO t VALUES", columns, columnar=True)

    assert client.execute(
        "SELECT count(), sum(a), uniqExact(d), max(e), countIf(f = concat('node-', toString(a))) "
        "FROM t"
    ) == [
        (
            count,
            count * (count - 1) // 2,
            3,
            datetime(2026, 1, 1, 0, 0, 0, count - 1, tzinfo=UTC),
            count,
        )
    ]


def test_columnar_lists_are_inserted(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8, b Array(String)) ENGINE = Memory")

    client.execute("INSERT INTO t VALUES", [[1, 2], [["x"], []]], columnar=True)

    assert client.execute("SELECT * FROM t", columnar=True) == [(1, 2), (["x"], [])]
