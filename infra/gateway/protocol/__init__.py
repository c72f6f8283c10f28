"""ClickHouse's native protocol as pure functions over bytes."""
