"""Says what can go wrong for a training job or a node; every message names the next step."""

from modeltrail.infra.errors import ConfigError, Unavailable
from modeltrail.schemas.errors import InvalidFact, ModeltrailError, SchemaRegistryUnavailable
from modeltrail.schemas.events import RefusalReason, RejectionReason

__all__ = [
    "ArtifactCorrupt",
    "ArtifactErased",
    "ArtifactNotFound",
    "ArtifactStoreUnavailable",
    "ArtifactTooLarge",
    "ConfigError",
    "InvalidFact",
    "ModeltrailError",
    "NotOnnx",
    "NothingServed",
    "RegistrationRejected",
    "RegistrationTimeout",
    "RegistryTimeout",
    "RequestRefused",
    "RunAlreadyEnded",
    "SchemaRegistryUnavailable",
    "SpoolFull",
    "Unavailable",
    "UndeclaredMetric",
    "UnknownModel",
    "UnknownRun",
]


class ArtifactNotFound(ModeltrailError, FileNotFoundError):
    """No readable file is there: correct the path, or restore the artifact store."""


class NotOnnx(ModeltrailError, ValueError):
    """The file is not an ONNX model: export it with a tool that writes ONNX."""


class ArtifactTooLarge(ModeltrailError, ValueError):
    """The file is larger than `model_registry.max_artifact_mb`: raise the setting or shrink it."""


class ArtifactCorrupt(ModeltrailError):
    """The bytes do not have the registered SHA-256: fetch or register the artifact again."""


class ArtifactErased(ArtifactNotFound):
    """The artifact was erased for good: use another version, or register the bytes anew."""


class ArtifactStoreUnavailable(Unavailable):
    """The artifact store does not answer or refuses: check its address and the credentials."""


class RegistryTimeout(Unavailable):
    """No answer in time; the request is kept and will be honoured: look before asking again."""


class RegistrationTimeout(RegistryTimeout):
    """No answer in time; the request is kept, and calling again with the same bytes is safe."""


class RegistrationRejected(ModeltrailError):
    """The registry refused the request; `reason` and `detail` say why."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"registration rejected, {reason}: {detail}; correct the call")


class RequestRefused(ModeltrailError):
    """The registry refused a change; `reason` and `detail` say why."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"the registry refuses, {reason}: {detail}")


class UnknownModel(ModeltrailError, KeyError):
    """No such version is registered: see what is with `modeltrail registry list`."""

    __str__ = Exception.__str__


class UnknownRun(ModeltrailError, KeyError):
    """No run has that id: start it, or correct the id."""

    __str__ = Exception.__str__


class RunAlreadyEnded(ModeltrailError):
    """The run has ended: its facts are complete; start another run."""


class NothingServed(Unavailable):
    """A node has no version to run for a session: treat the frame as undetected, deploy one."""


class SpoolFull(Unavailable):
    """Facts that Kafka has not taken fill the spool: bring Kafka back, then call again."""


class UndeclaredMetric(InvalidFact):
    """A measurement names a metric that the model does not declare: declare it at registration."""
