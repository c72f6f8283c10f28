"""Checks that the servers answer, be they embedded or the user's own."""

from collections.abc import Iterator

from modeltrail.infra.cli.checks.finding import Finding, fail, ok, warn
from modeltrail.infra.config import ClickHouseSettings, Settings
from modeltrail.schemas.errors import ModeltrailError

_TIMEOUT_S = 5
_START = "`modeltrail up --detach` starts the embedded one"


def kafka(settings: Settings) -> Iterator[Finding]:
    """A broker answers."""
    from confluent_kafka import KafkaException

    from modeltrail.infra.kafka import make_admin

    if not settings.kafka.bootstrap_servers:
        yield warn("kafka", "not running", _START)
        return
    try:
        found = make_admin(settings.kafka).list_topics(timeout=_TIMEOUT_S)
    except KafkaException as error:
        yield fail(
            "kafka",
            f"{settings.kafka.bootstrap_servers} does not answer: {error.args[0].str()}",
            "`modeltrail status`, or check the MODELTRAIL_KAFKA_ settings",
        )
        return
    yield ok("kafka", f"{settings.kafka.bootstrap_servers}, {len(found.brokers)} broker(s)")


def schema_registry(settings: Settings) -> Iterator[Finding]:
    """The schema registry answers as Confluent's does."""
    from modeltrail.infra.schema_registry import ConfluentSchemaIds
    from modeltrail.schemas.errors import UnknownSchemaId

    if not settings.schema_registry.url:
        yield warn("schema registry", "not running", _START)
        return
    try:
        # No registry has this id: the right answer is a refusal of the right kind.
        ConfluentSchemaIds(settings.schema_registry, retries=0).schema_of(2**31 - 1)
    except UnknownSchemaId:
        pass
    except ModeltrailError as error:
        yield fail(
            "schema registry",
            str(error),
            "`modeltrail status`, or check the MODELTRAIL_SCHEMA_REGISTRY_ settings",
        )
        return
    yield ok("schema registry", settings.schema_registry.url)


def clickhouse(settings: Settings) -> Iterator[Finding]:
    """Both accounts can run a query."""
    if not settings.clickhouse.host:
        yield warn("clickhouse", "not running", _START)
        return
    for account in ("writer", "reader"):
        yield _account(account, settings.clickhouse)


def _account(account: str, settings: ClickHouseSettings) -> Finding:
    from clickhouse_driver.errors import Error

    from modeltrail.infra.clickhouse import make_client, make_reader

    make = make_reader if account == "reader" else make_client
    client = make(settings, database="", connect_timeout=_TIMEOUT_S)
    try:
        ((version,),) = client.execute("SELECT version()")
    except (Error, OSError, EOFError) as error:
        return fail(
            f"clickhouse: {account}",
            f"{settings.host}:{settings.port}: {str(error).splitlines()[0]}",
            "`modeltrail status`, or check the MODELTRAIL_CLICKHOUSE_ settings",
        )
    finally:
        client.disconnect()
    return ok(f"clickhouse: {account}", f"{settings.host}:{settings.port}, version {version}")
