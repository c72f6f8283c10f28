"""Asks any Confluent-compatible schema registry for ids and schemas, and says when it is away."""

# Otherwise imported by the first call: a child that is forked in the middle of it never could.
import encodings.idna  # noqa: F401
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore2  # noqa: F401
import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from modeltrail.infra.config import SchemaRegistrySettings
from modeltrail.infra.errors import ConfigError
from modeltrail.schemas.catalog import SchemaFile
from modeltrail.schemas.errors import (
    IncompatibleSchema,
    ModeltrailError,
    SchemaRegistryDenied,
    SchemaRegistryUnavailable,
    UnknownSchemaId,
)

COMPATIBILITY = "FULL_TRANSITIVE"
_NOT_FOUND = 404
_CONFLICT = 409
_INVALID = 422
_DENIED = (401, 403)
_TIMEOUT_S = 5
# The client lets whatever goes wrong in parsing a strange answer through.
_FAILURES = (httpx2.HTTPError, OSError, ValueError, TypeError, KeyError, AttributeError)


class ConfluentSchemaIds:
    """A `SchemaIds` on a real registry.

    Answers are not kept here, the codec keeps them: so calls are rare, and each has a connection of
    its own that is closed with it.
    """

    def __init__(self, settings: SchemaRegistrySettings, *, retries: int = 2) -> None:
        """Connect lazily.

        Args:
            settings: where the registry is.
            retries: how often a call that got no answer is made again.

        Raises:
            ConfigError: no registry is configured and no embedded stack is running.
        """
        if not settings.url:
            raise ConfigError(
                "no schema registry: start the embedded one with `modeltrail up --detach`, "
                "or set MODELTRAIL_SCHEMA_REGISTRY_URL"
            )
        self._url = settings.url
        self._conf: dict[str, object] = {
            "url": settings.url,
            "timeout": _TIMEOUT_S,
            "max.retries": retries,
        }
        if settings.url.startswith("http://"):
            # Nothing is encrypted, and reading the authorities' certificates takes 20 ms a call.
            self._conf["ssl.ca.location"] = False
        if settings.username:
            self._conf["basic.auth.user.info"] = f"{settings.username}:{settings.password.reveal()}"

    def id_of(self, subject: str, schema: str) -> int:
        """The id of `schema`, registering it under `subject` where it is new."""
        with self._asking() as client:
            return _register(client, subject, schema)

    def schema_of(self, schema_id: int) -> str:
        """The schema with that id."""
        with self._asking() as client:
            try:
                text: str | None = client.get_schema(schema_id).schema_str
            except SchemaRegistryError as error:
                if error.http_status_code != _NOT_FOUND:
                    raise
                raise UnknownSchemaId(f"the schema registry has no schema {schema_id}") from error
        if text is None:
            raise UnknownSchemaId(f"schema {schema_id} is empty")
        return text

    def publish(self, schemas: tuple[SchemaFile, ...]) -> list[int]:
        """Register every version in order under its record's name, FULL_TRANSITIVE from the first.

        Raises:
            IncompatibleSchema: a later version breaks an earlier one.
            SchemaRegistryUnavailable: no answer in time.
            SchemaRegistryDenied: the credentials do not suffice.
        """
        with self._asking() as client:
            for subject in dict.fromkeys(schema.record for schema in schemas):
                client.set_compatibility(subject, COMPATIBILITY)
            return [_register(client, schema.record, schema.text) for schema in schemas]

    def missing(self, schemas: tuple[SchemaFile, ...]) -> list[SchemaFile]:
        """Those that are not registered under their record's name.

        Raises:
            SchemaRegistryUnavailable: no answer in time.
            SchemaRegistryDenied: the credentials do not suffice.
        """
        with self._asking() as client:
            return [schema for schema in schemas if not _is_registered(client, schema)]

    @contextmanager
    def _asking(self) -> Iterator[SchemaRegistryClient]:
        """A client whose failures come out as ours, a registry that answers nonsense included."""
        try:
            with SchemaRegistryClient(self._conf) as client:
                yield client
        except SchemaRegistryError as error:
            if error.http_status_code in _DENIED:
                raise SchemaRegistryDenied(
                    f"the schema registry at {self._url} denies access ({error.http_status_code}): "
                    "set MODELTRAIL_SCHEMA_REGISTRY_USERNAME and _PASSWORD"
                ) from error
            raise self._away(error) from error
        except ModeltrailError:
            raise
        except _FAILURES as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> SchemaRegistryUnavailable:
        return SchemaRegistryUnavailable(
            f"the schema registry at {self._url} did not answer ({type(error).__name__}: {error}): "
            "check `modeltrail status`, then try again"
        )


def _register(client: SchemaRegistryClient, subject: str, schema: str) -> int:
    try:
        return int(client.register_schema(subject, Schema(schema, "AVRO")))
    except SchemaRegistryError as error:
        if error.http_status_code not in (_CONFLICT, _INVALID):
            raise
        raise IncompatibleSchema(
            f"the registry refused {subject} ({error.error_message}): make it an Avro "
            f"schema that is {COMPATIBILITY} with its released versions"
        ) from error


def _is_registered(client: SchemaRegistryClient, schema: SchemaFile) -> bool:
    try:
        client.lookup_schema(schema.record, Schema(schema.text, "AVRO"))
    except SchemaRegistryError as error:
        if error.http_status_code != _NOT_FOUND:
            raise
        return False
    return True
