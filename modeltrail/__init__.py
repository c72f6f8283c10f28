"""The public names of modeltrail: what a training job or an inference node imports."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modeltrail.infra.config import Settings, load_settings
    from modeltrail.producers import errors
    from modeltrail.producers.experiments.tracker import Comparison, ExperimentTracker
    from modeltrail.producers.monitoring.monitor import InferenceMonitor
    from modeltrail.producers.monitoring.session import InstrumentedSession
    from modeltrail.producers.monitoring.stats import MonitorStats
    from modeltrail.producers.registry.client import ModelRegistry
    from modeltrail.producers.registry.fold import RegisteredModel

__all__ = [
    "Comparison",
    "ExperimentTracker",
    "InferenceMonitor",
    "InstrumentedSession",
    "ModelRegistry",
    "MonitorStats",
    "RegisteredModel",
    "Settings",
    "errors",
    "load_settings",
]

_HOMES = {
    "Comparison": "modeltrail.producers.experiments.tracker",
    "ExperimentTracker": "modeltrail.producers.experiments.tracker",
    "InferenceMonitor": "modeltrail.producers.monitoring.monitor",
    "InstrumentedSession": "modeltrail.producers.monitoring.session",
    "ModelRegistry": "modeltrail.producers.registry.client",
    "MonitorStats": "modeltrail.producers.monitoring.stats",
    "RegisteredModel": "modeltrail.producers.registry.fold",
    "Settings": "modeltrail.infra.config",
    "load_settings": "modeltrail.infra.config",
}


def __getattr__(name: str) -> Any:
    # Loaded at first use (PEP 562): a registration needs no ONNX Runtime, a node no experiments.
    if name == "errors":
        return import_module("modeltrail.producers.errors")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
