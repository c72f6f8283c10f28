"""ClickHouse's native TCP protocol in front of an embedded ClickHouse engine."""
