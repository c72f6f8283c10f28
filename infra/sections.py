"""Answers which settings there are: a frozen section each, with defaults and what they mean."""

from dataclasses import dataclass, field
from typing import Any

from modeltrail.infra.secret import Secret


def _setting(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class ModelRegistrySettings:
    """Where model artifacts live and how long a registration may take."""

    path: str = _setting(".modeltrail/artifacts", "artifact store: a folder or any fsspec URL")
    answer_timeout_s: float = _setting(30.0, "how long register_model waits for the registry, s")
    max_artifact_mb: int = _setting(4096, "largest model file that is accepted, MiB")


@dataclass(frozen=True, slots=True)
class ExperimentTrackingSettings:
    """How experiment facts survive while Kafka is away, and what is recorded by itself."""

    spool_path: str = _setting(
        ".modeltrail/spool", "folder for facts that Kafka has not taken yet; one per account"
    )
    spool_max_mb: int = _setting(256, "size at which log_metrics blocks, MiB")
    flush_timeout_s: float = _setting(10.0, "how long exit and end_experiment wait for Kafka, s")
    capture: bool = _setting(True, "runs record commit, host, versions, seed and GPUs")
    heartbeat_s: float = _setting(10.0, "how often an open run says that it is alive, s; 0: never")


@dataclass(frozen=True, slots=True)
class MonitoringSettings:
    """What a node measures and what it may cost."""

    metrics_collection: bool = _setting(True, "false turns InferenceMonitor into a no-op")
    sampling_rate: float = _setting(1.0, "share of measurements that are sent, 0 to 1")
    queue_capacity: int = _setting(20_000, "measurements held before the oldest are dropped")
    flush_timeout_s: float = _setting(2.0, "how long a node waits for Kafka at exit, s")
    report_interval_s: float = _setting(10.0, "how often a node reports its drops, s")
    environment: str = _setting("production", "environment that measurements are filed under")


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """How a node follows the routing of its environment."""

    heartbeat_s: float = _setting(5.0, "how often a node says what it serves, s")
    longest_backoff_s: float = _setting(
        30.0, "longest pause before a model that could not be loaded is tried again, s"
    )


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Where Kafka is and how topics are laid out."""

    bootstrap_servers: str = _setting("", "host:port,…; empty: the embedded stack")
    topic_prefix: str = _setting("modeltrail.", "prefix of every topic name")
    partitions: int = _setting(4, "partitions of every topic; joined topics need equal counts")
    replication_factor: int = _setting(1, "copies of every partition")
    inference_retention_days: int = _setting(
        30, "days that measurements and heartbeats stay in Kafka"
    )
    windows_retention_days: int = _setting(7, "days that partial and closed windows stay in Kafka")
    security_protocol: str = _setting("PLAINTEXT", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
    sasl_mechanism: str = _setting("", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    sasl_username: str = _setting("", "SASL user")
    sasl_password: Secret = _setting(Secret(""), "SASL password")  # noqa: RUF009
    ssl_ca_location: str = _setting("", "file of CA certificates")


@dataclass(frozen=True, slots=True)
class SchemaRegistrySettings:
    """Where the Confluent-compatible schema registry is."""

    url: str = _setting("", "base URL of the Confluent API; empty: the embedded stack")
    username: str = _setting("", "basic-auth user")
    password: Secret = _setting(Secret(""), "basic-auth password")  # noqa: RUF009


@dataclass(frozen=True, slots=True)
class ClickHouseSettings:
    """Where ClickHouse's native protocol is."""

    host: str = _setting("", "host name; empty: the embedded stack")
    port: int = _setting(9000, "native protocol port")
    user: str = _setting("modeltrail", "account that projects and migrates")
    password: Secret = _setting(Secret(""), "its password")  # noqa: RUF009
    database: str = _setting("modeltrail", "database of every table and view")
    secure: bool = _setting(False, "TLS")
    reader_user: str = _setting("reader", "account of `modeltrail sql`: read only")
    reader_password: Secret = _setting(Secret(""), "its password")  # noqa: RUF009


@dataclass(frozen=True, slots=True)
class ProcessorsSettings:
    """What the stream processors keep for the ground truth that comes later."""

    truth_sampling_rate: float = _setting(
        0.01, "share of measurements that ground truth can be compared with, 0 to 1"
    )
    sample_capacity: int = _setting(
        50_000, "measurements that wait for their ground truth, of a partition at the most"
    )


@dataclass(frozen=True, slots=True)
class ProjectorSettings:
    """How the projector cuts its inserts."""

    batch_rows: int = _setting(50_000, "rows of one insert at the most")
    batch_seconds: float = _setting(0.5, "longest time a row waits for its insert, s")
    dead_letter_limit: float = _setting(
        0.2, "share of a batch of 100 or more that may be unreadable before the projector stops"
    )


@dataclass(frozen=True, slots=True)
class AlertingSettings:
    """Where alerts are delivered; an address may hold a credential, so it is never shown."""

    webhook_url: Secret = _setting(Secret(""), "gets each step of an alert as a POST")  # noqa: RUF009
    webhook_format: str = _setting("json", "body of a webhook request: json or slack")
    webhook_secret: Secret = _setting(Secret(""), "signs webhook requests")  # noqa: RUF009
    alertmanager_url: Secret = _setting(Secret(""), "base URL of Alertmanager's API")  # noqa: RUF009
    deliver_pending: bool = _setting(False, "webhooks also hear of alerts that are not raised yet")
    deliver_updates: bool = _setting(True, "webhooks also hear of open alerts that go on")
    timeout_s: float = _setting(10.0, "longest wait for a receiver, s")
    max_backoff_s: float = _setting(60.0, "longest pause between attempts while it is away, s")
    resend_s: float = _setting(60.0, "how often Alertmanager hears of an open alert again, s")


@dataclass(frozen=True, slots=True)
class DocumentsSettings:
    """How documents are made from the log."""

    automatic: bool = _setting(
        True, "documents are made after registrations, assessments, deployments and runs"
    )
    templates: str = _setting("", "folder of templates that come before the package's own")
    windows_hours: float = _setting(24.0, "how much of the live windows a card tells of, h")


@dataclass(frozen=True, slots=True)
class StackSettings:
    """The embedded stack."""

    data_dir: str = _setting(".modeltrail", "folder of the stack's data, ports and logs")
    ready_timeout_s: float = _setting(60.0, "how long `up` waits for each part, s")
    kafka_heap_mb: int = _setting(512, "heap of the broker, MiB")
    startup_cache: bool = _setting(True, "the first stop records what makes Java start faster")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, grouped by the section of `modeltrail.yaml` that holds it."""

    model_registry: ModelRegistrySettings = field(default_factory=ModelRegistrySettings)
    experiment_tracking: ExperimentTrackingSettings = field(
        default_factory=ExperimentTrackingSettings
    )
    monitoring: MonitoringSettings = field(default_factory=MonitoringSettings)
    serving: ServingSettings = field(default_factory=ServingSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    schema_registry: SchemaRegistrySettings = field(default_factory=SchemaRegistrySettings)
    clickhouse: ClickHouseSettings = field(default_factory=ClickHouseSettings)
    processors: ProcessorsSettings = field(default_factory=ProcessorsSettings)
    projector: ProjectorSettings = field(default_factory=ProjectorSettings)
    alerting: AlertingSettings = field(default_factory=AlertingSettings)
    documents: DocumentsSettings = field(default_factory=DocumentsSettings)
    stack: StackSettings = field(default_factory=StackSettings)
