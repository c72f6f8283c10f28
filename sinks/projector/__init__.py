"""The projector: everything on Kafka becomes rows in ClickHouse, each exactly once."""

from modeltrail.sinks.projector.run import run_projector

__all__ = ["run_projector"]
