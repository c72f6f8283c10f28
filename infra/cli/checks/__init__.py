"""What `modeltrail doctor` checks: three lists; a new check is a function added here."""

from collections.abc import Callable, Iterable

from modeltrail.infra.cli.checks import facts, machine, servers
from modeltrail.infra.cli.checks.finding import Finding
from modeltrail.infra.config import Settings

Check = Callable[[Settings], Iterable[Finding]]

MACHINE_CHECKS: tuple[Check, ...] = (
    machine.python,
    machine.packages,
    machine.java_runs,
    machine.archives,
    machine.ports,
    machine.disk,
    machine.memory,
)
SERVER_CHECKS: tuple[Check, ...] = (
    servers.kafka,
    servers.schema_registry,
    servers.clickhouse,
)
# Only where every server answers: each would otherwise wait for one that does not.
FACT_CHECKS: tuple[Check, ...] = (facts.topics, facts.schemas, facts.migrations)

__all__ = ["FACT_CHECKS", "MACHINE_CHECKS", "SERVER_CHECKS", "Check", "Finding"]
