"""Says what can go wrong between modeltrail and the servers around it."""

from modeltrail.schemas.errors import ModeltrailError


class ConfigError(ModeltrailError):
    """A setting is missing, unknown or of the wrong type."""


class Unavailable(ModeltrailError):
    """A server did not answer in time; the call may be retried."""
