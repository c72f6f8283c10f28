"""Says what makes a sink stop; every message names the next step."""

from modeltrail.schemas.errors import ModeltrailError


class InvalidIdentifier(ModeltrailError, ValueError):
    """A name that may not become part of SQL text."""


class MigrationEdited(ModeltrailError):
    """A migration that was applied has another checksum now: restore it and add a new one."""


class MigrationUnknown(ModeltrailError):
    """The database has a migration that this version does not: run a newer modeltrail."""


class NotMigrated(ModeltrailError):
    """The database lacks migrations: run `modeltrail migrate`."""


class TooManyDeadLetters(ModeltrailError):
    """Most of a batch cannot be read: the sink stopped before it wrote any of it."""
