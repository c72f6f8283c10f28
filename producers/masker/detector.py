"""Opens ONNX Runtime sessions of the detector, one thread each, so that nodes share the machine."""

from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

__all__ = ["InferenceSession", "open_detector", "session_options"]
_ERRORS_ONLY = 3


def session_options() -> SessionOptions:
    """One thread, all graph optimisations, no warnings about the published graph."""
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL
    return options


def open_detector(model: bytes) -> InferenceSession:
    """An uninstrumented session on the CPU, for experiments."""
    return InferenceSession(model, session_options(), providers=["CPUExecutionProvider"])
