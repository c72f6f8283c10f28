"""Facts out: the ClickHouse projector, migrations, views and queries."""
