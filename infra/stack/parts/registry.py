"""Apicurio Registry: the Confluent-compatible schema registry, its schemas in an H2 file."""

from collections.abc import Mapping

from modeltrail.infra.stack import jvm
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.maven import Locked, cache_folder
from modeltrail.infra.stack.part import HttpOk, Part
from modeltrail.infra.stack.ports import LOOPBACK

PORTS = ("registry", "registry_management")
_API = "/apis/ccompat/v7"
_HEAP_MB = 256


def registry_part(
    layout: Layout, ports: Mapping[str, int], archive: Locked, recorder: str | None
) -> Part:
    """The registry on two loopback ports: the API, and health for its own management."""
    cache = cache_folder()
    runner = archive.tree(cache) / "quarkus-run.jar"
    aot = jvm.AotCache(cache, "registry", str(runner))
    # H2 writes half a second later by default: an id handed out just before a kill -9 would be
    # given again, to another schema.
    database = f"jdbc:h2:file:{layout.root / 'registry' / 'registry'};WRITE_DELAY=0"
    return Part(
        name="registry",
        argv=jvm.command(_HEAP_MB, aot.use_or_record(recorder), ("-jar", str(runner))),
        env={
            **jvm.java_environment(),
            "APICURIO_STORAGE_KIND": "sql",
            "APICURIO_STORAGE_SQL_KIND": "h2",
            "APICURIO_DATASOURCE_URL": database,
            "QUARKUS_HTTP_HOST": LOOPBACK,
            "QUARKUS_HTTP_PORT": str(ports["registry"]),
            "QUARKUS_HTTP_ACCESS_LOG_ENABLED": "false",
            # It listens on *:9000 unless told otherwise.
            "QUARKUS_MANAGEMENT_HOST": LOOPBACK,
            "QUARKUS_MANAGEMENT_PORT": str(ports["registry_management"]),
        },
        ready=HttpOk(ports["registry"], f"{_API}/subjects"),
        depends_on=("java",),
        ports={name: ports[name] for name in PORTS},
        provides={"schema_registry": {"url": f"http://{LOOPBACK}:{ports['registry']}{_API}"}},
        stop_timeout_s=jvm.STOP_TIMEOUT_S,
    )
