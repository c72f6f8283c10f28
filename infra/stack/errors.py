"""Says what can go wrong with the embedded stack; every message names the next step."""

from modeltrail.schemas.errors import ModeltrailError


class StackError(ModeltrailError):
    """The embedded stack could not do what it was asked."""


class PartFailed(StackError):
    """A part did not start: its name, the end of its log and what to do are in the message."""


class ArtifactMismatch(StackError):
    """A downloaded file is not the one that `maven.lock` names."""
