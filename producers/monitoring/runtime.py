"""Opens ONNX Runtime sessions of verified bytes, on the best provider that this machine has."""

import ctypes
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modeltrail.producers.errors import ArtifactCorrupt, ArtifactNotFound
from modeltrail.schemas.ids import Sha256

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
# A model's optimisation hints are not the node's business.
_ERRORS = 3


def open_session(model: bytes, providers: Sequence[str] | None, session_options: Any) -> Any:
    """An `onnxruntime.InferenceSession` of the model's bytes; None: CUDA if it is there, then CPU.

    Raises:
        onnxruntime's own errors: the model does not load.
    """
    # Imported here: whoever only registers models needs no runtime.
    import onnxruntime

    if session_options is None:
        session_options = onnxruntime.SessionOptions()
        session_options.log_severity_level = _ERRORS
    chosen = list(providers or available_providers())
    return onnxruntime.InferenceSession(model, session_options, providers=chosen)


def verified_bytes(path: Path, sha256: Sha256, what: str) -> bytes:
    """The bytes of a model file; read once, so what was hashed is what runs.

    Raises:
        ArtifactNotFound: no readable file is there.
        ArtifactCorrupt: it has another SHA-256; the error names `what` it should be.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactNotFound(f"no readable model file at {path}: {error.strerror}") from error
    if hashlib.sha256(content).digest() != sha256:
        raise ArtifactCorrupt(f"{path} is not {what}: fetch it with fetch_artifact")
    return content


def available_providers() -> list[str]:
    """The providers that models are asked to run on here, CUDA first."""
    import onnxruntime

    return preferred(onnxruntime.get_available_providers())


def preferred(available: Sequence[str]) -> list[str]:
    """The providers to ask for, CUDA first."""
    # The GPU package offers CUDA everywhere, and complains on stderr where there is no driver.
    return [name for name in (CUDA, CPU) if name in available and (name != CUDA or _has_driver())]


def _has_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
