"""Opens a model in ONNX Runtime on the first configured provider that works here.

Only the confined process imports this.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnxruntime

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
_DRIVER = "libcuda.so.1"
_ERRORS_ONLY = 4
_MIB = 1024 * 1024


class NotLoaded(Exception):
    """No configured provider loads the model; the message says why."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An open session, the provider that runs it, and why those before it do not."""

    session: Any
    provider: str
    passed_over: tuple[str, ...]


def load(content: bytes, providers: Sequence[str], memory_mb: int) -> Loaded:
    """Open the model on the first of `providers` that works.

    Raises:
        NotLoaded: none of them does.
    """
    passed_over: list[str] = []
    for provider in providers:
        if (reason := _missing(provider)) is not None:
            passed_over.append(f"{provider}: {reason}")
            continue
        try:
            session = _open(content, provider, memory_mb)
        except MemoryError:
            raise
        except Exception as error:
            # onnxruntime raises a class of its own for every kind of trouble.
            passed_over.append(f"{provider}: {error}")
            continue
        if (used := session.get_providers()[0]) == provider:
            return Loaded(session, provider, tuple(passed_over))
        passed_over.append(f"{provider}: ONNX Runtime took {used} instead")
    raise NotLoaded("; ".join(passed_over))


def _missing(provider: str) -> str | None:
    if provider not in onnxruntime.get_available_providers():
        return "not in this ONNX Runtime"
    if provider == _CUDA:
        # The GPU package offers CUDA everywhere, and complains on stderr where there is none.
        try:
            ctypes.CDLL(_DRIVER)
        except OSError:
            return "no driver on this machine"
    return None


def _open(content: bytes, provider: str, memory_mb: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Memory goes back at once, so that what is counted is what is needed.
    options.enable_cpu_mem_arena = False
    bounded = {"gpu_mem_limit": str(memory_mb * _MIB)} if provider == _CUDA else {}
    fallback: list[tuple[str, dict[str, str]]] = [] if provider == _CPU else [(_CPU, {})]
    return onnxruntime.InferenceSession(
        content, options, providers=[(provider, bounded), *fallback]
    )
