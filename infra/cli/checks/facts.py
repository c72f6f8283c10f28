"""Checks that topics, schemas and tables are what this version of modeltrail needs."""

from collections.abc import Iterator

from modeltrail.infra.cli.checks.finding import Finding, fail, ok
from modeltrail.infra.config import Settings


def topics(settings: Settings) -> Iterator[Finding]:
    """Every topic exists, with equal partition counts where topics are joined."""
    from modeltrail.infra.topics import topic_problems

    problems = topic_problems(settings.kafka)
    if not problems:
        yield ok("topics", "all there, laid out as set")
    for problem in problems:
        yield fail("topics", problem, "`modeltrail migrate`")
