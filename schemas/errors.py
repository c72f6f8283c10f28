"""Says what can be wrong with a fact or its bytes; every message names the next step."""


class ModeltrailError(Exception):
    """Base of every error that modeltrail raises on purpose."""


class InvalidFact(ModeltrailError, ValueError):
    """A value that may not become a fact: correct the call."""


class DecodeError(ModeltrailError):
    """Bytes that are not a fact of ours: they belong in the dead letters."""


class UnknownSchemaId(DecodeError):
    """The schema registry answered that it has no such id: wrong registry, or foreign bytes."""


class SchemaRegistryUnavailable(ModeltrailError):
    """The schema registry did not answer: wait and retry, the bytes may be fine."""


class SchemaRegistryDenied(ModeltrailError):
    """The schema registry refused our credentials: set others."""


class IncompatibleSchema(ModeltrailError):
    """The schema registry refused a schema: make it FULL_TRANSITIVE with the released ones."""


class UnexpectedRecord(DecodeError):
    """The bytes are a record that this reader does not know: upgrade it, or find who wrote it."""
