"""Collects results, prints them as a table and writes `bench.json`."""

import json
import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

_LIBRARIES = ("confluent-kafka", "faust-streaming", "polars", "chdb-core", "clickhouse-driver")


@dataclass(slots=True)
class Report:
    """Results by name: a value, its unit, and its ratio to each peer of the same run."""

    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, value: float, unit: str, **peers: float) -> None:
        """Add one result; `peers` are values of the same unit that it is compared with."""
        ratio = {peer: round(value / other, 4) for peer, other in peers.items() if other}
        self.results[name] = {"value": round(value, 3), "unit": unit, "ratio": ratio}

    def value(self, name: str) -> float:
        """The value of an earlier result."""
        return float(self.results[name]["value"])

    def write(self, path: Path) -> None:
        """Write `bench.json`."""
        content = {"machine": _machine(), "results": self.results}
        path.write_text(json.dumps(content, indent=2) + "\n")

    def show(self) -> None:
        """Print what was measured so far."""
        table = Table("result", "value", "unit", "ratio to peers")
        for name, result in self.results.items():
            ratio = ", ".join(f"{peer} x {value:g}" for peer, value in result["ratio"].items())
            table.add_row(name, f"{result['value']:,}", result["unit"], ratio)
        Console().print(table)


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _LIBRARIES},
    }
