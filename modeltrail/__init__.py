"""The public names of modeltrail: what a training job or an inference node imports."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modeltrail.infra.config import Settings, load_settings
    from modeltrail.producers import errors
    from modeltrail.producers.experiments.active_run import ActiveRun
    from modeltrail.producers.experiments.comparison import (
        BestMetric,
        Comparison,
        ExperimentComparison,
        RepeatedRuns,
    )
    from modeltrail.producers.experiments.tracker import ExperimentTracker
    from modeltrail.producers.monitoring.monitor import InferenceMonitor
    from modeltrail.producers.monitoring.session import InstrumentedSession
    from modeltrail.producers.monitoring.stats import MonitorStats
    from modeltrail.producers.registry.changes import RegistryChange
    from modeltrail.producers.registry.client import ModelRegistry
    from modeltrail.producers.registry.fold import RegisteredModel
    from modeltrail.producers.registry.lineage import Lineage
    from modeltrail.producers.registry.snapshot import RegistrySnapshot
    from modeltrail.producers.serving.node import ServingNode
    from modeltrail.schemas.intervals import MeanInterval

__all__ = [
    "ActiveRun",
    "BestMetric",
    "Comparison",
    "ExperimentComparison",
    "ExperimentTracker",
    "InferenceMonitor",
    "InstrumentedSession",
    "Lineage",
    "MeanInterval",
    "ModelRegistry",
    "MonitorStats",
    "RegisteredModel",
    "RegistryChange",
    "RegistrySnapshot",
    "RepeatedRuns",
    "ServingNode",
    "Settings",
    "errors",
    "load_settings",
]

_HOMES = {
    "ActiveRun": "modeltrail.producers.experiments.active_run",
    "BestMetric": "modeltrail.producers.experiments.comparison",
    "Comparison": "modeltrail.producers.experiments.comparison",
    "ExperimentComparison": "modeltrail.producers.experiments.comparison",
    "ExperimentTracker": "modeltrail.producers.experiments.tracker",
    "InferenceMonitor": "modeltrail.producers.monitoring.monitor",
    "InstrumentedSession": "modeltrail.producers.monitoring.session",
    "Lineage": "modeltrail.producers.registry.lineage",
    "MeanInterval": "modeltrail.schemas.intervals",
    "ModelRegistry": "modeltrail.producers.registry.client",
    "MonitorStats": "modeltrail.producers.monitoring.stats",
    "RegisteredModel": "modeltrail.producers.registry.fold",
    "RegistryChange": "modeltrail.producers.registry.changes",
    "RegistrySnapshot": "modeltrail.producers.registry.snapshot",
    "RepeatedRuns": "modeltrail.producers.experiments.comparison",
    "ServingNode": "modeltrail.producers.serving.node",
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
