"""Questions to ClickHouse that other parts ask through Python instead of SQL."""
