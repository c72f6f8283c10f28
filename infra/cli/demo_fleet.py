"""Runs the nodes of the deployment demo as processes: one of staging, cameras by day or night."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console

from modeltrail.infra.cli.demo_versions import SIZE

_PRODUCTION = ("gate-1", "gate-2")
_LONGEST_S = 600.0
_STOP_S = 20.0
_FPS = "10"
_CLIP_FRAMES = "8"
_CAMERAS = "3"


@dataclass(frozen=True, slots=True)
class Light:
    """What the cameras see: a name for people, and the share of full light."""

    name: str
    share: float


DAY = Light("an overcast day", 0.5)
NIGHT = Light("night", 0.12)


class Fleet:
    """The nodes; each follows the routing of its environment."""

    def __init__(self, config: Path | None, model_id: str, console: Console) -> None:
        self._model_id = model_id
        self._options = ["--config", str(config)] if config else []
        self._console = console
        self._staging: subprocess.Popen[str] | None = None
        self._production: list[subprocess.Popen[str]] = []

    def start(self, light: Light) -> None:
        """Put the cameras of production into that light; the first call starts staging too."""
        if self._staging is None:
            self._staging = self._node("staging-1", "staging", light, "--benchmarks")
        self._stop(self._production)
        self._production = [
            self._node(f"{name}-{light.name.split()[-1]}", "production", light)
            for name in _PRODUCTION
        ]
        self._console.print(
            f"  {len(_PRODUCTION)} nodes with {_CAMERAS} cameras each mask clips of "
            f"{_CLIP_FRAMES} frames in the light of {light.name}",
            soft_wrap=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop([*self._production, *([self._staging] if self._staging else [])])

    def _node(
        self, node_id: str, environment: str, light: Light, *own: str
    ) -> subprocess.Popen[str]:
        cameras = "0" if environment == "staging" else _CAMERAS
        command = [sys.executable, "-m", "modeltrail.producers.masker.serving_node"]
        command += ["--node-id", node_id, "--environment", environment, "--model", self._model_id]
        command += ["--size", *map(str, SIZE), "--light", str(light.share)]
        command += ["--seconds", str(_LONGEST_S), "--clip-frames", _CLIP_FRAMES]
        command += ["--fps", _FPS, "--at-once", cameras, *own, *self._options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def _stop(self, nodes: list[subprocess.Popen[str]]) -> None:
        for node in nodes:
            node.terminate()
        for node in nodes:
            try:
                said, _ = node.communicate(timeout=_STOP_S)
            except subprocess.TimeoutExpired:
                node.kill()
                node.communicate()
                continue
            if lines := said.strip().splitlines():
                told = json.loads(lines[-1])
                self._console.print(
                    f"  {told['node_id']}: {told['clips']} clips, frames by version "
                    f"{told['frames']}, {told['blanked']} blanked",
                    soft_wrap=True,
                )
