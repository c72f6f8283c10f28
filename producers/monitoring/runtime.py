"""Opens ONNX Runtime sessions on the best provider that this machine really has."""

import ctypes
import sys
from collections.abc import Sequence
from typing import Any

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
    chosen = list(providers or preferred(onnxruntime.get_available_providers()))
    return onnxruntime.InferenceSession(model, session_options, providers=chosen)


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
