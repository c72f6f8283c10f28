"""Captures what a run is made with: commit, host, versions, seed, GPUs; never fails the run."""

import getpass
import json
import logging
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import distributions
from typing import Any

from modeltrail.schemas.run_settings import flattened, is_seed

_LOG = logging.getLogger(__name__)
#: The longest that git, the GPU's driver and the list of packages may take, each, s.
PATIENCE_S = 2.0
_GIT = ("git", "-c", "core.fsmonitor=false")
_GPU_FIELDS = ("name", "memory_mib", "driver")
_GPUS = (
    "nvidia-smi",
    "--query-gpu=name,memory.total,driver_version",
    "--format=csv,noheader,nounits",
)


def captured_json(config_json: str) -> str:
    """The environment of a run that is made with this configuration, a JSON object.

    `git` is the commit of the working folder and whether tracked files differ from it; `packages`
    the installed ones with their versions; `seed` comes from the configuration, or from torch where
    it is loaded. What cannot be found within its time is left out.
    """
    found = {name: _attempt(find) for name, find in _FINDERS.items()}
    found["seed"] = _attempt(lambda: _seed(json.loads(config_json)))
    return json.dumps({name: value for name, value in found.items() if value is not None})


def user_name() -> str:
    """The account of this process; empty where it has no name."""
    return _attempt(getpass.getuser) or ""


def _attempt(find: Callable[[], Any]) -> Any:
    try:
        return find()
    except Exception as error:
        # A training job must not fail because the machine cannot describe itself.
        _LOG.debug("not captured: %s", error)
        return None


def _git() -> Mapping[str, Any]:
    commit = _said(*_GIT, "rev-parse", "HEAD").strip()
    dirty = _attempt(lambda: _said(*_GIT, "status", "--porcelain", "--untracked-files=no") != "")
    return {"commit": commit, **({} if dirty is None else {"dirty": dirty})}


@cache
def _packages() -> Mapping[str, str]:
    deadline = time.monotonic() + PATIENCE_S
    found: dict[str, str] = {}
    for each in distributions():
        # A broken installation has no name; of two, the first on the path is imported.
        if each.name:
            found.setdefault(each.name, each.version)
        if time.monotonic() > deadline:
            break
    return dict(sorted(found.items()))


@cache
def _gpus() -> list[Mapping[str, Any]] | None:
    # A driver that hangs makes one run wait, not every one.
    found: list[Mapping[str, Any]] | None = _attempt(_asked_gpus)
    return found


def _asked_gpus() -> list[Mapping[str, Any]]:
    rows = [line.split(", ") for line in _said(*_GPUS).splitlines()]
    return [dict(zip(_GPU_FIELDS, row, strict=True)) for row in rows]


def _seed(config: Mapping[str, Any]) -> Any:
    given = [value for name, value in flattened(config).items() if is_seed(name)]
    torch = sys.modules.get("torch")
    return given[0] if given else torch.initial_seed() if torch is not None else None


def _said(*command: str) -> str:
    return subprocess.run(
        command,
        # git would otherwise take the index's lock, and fail a commit that is made meanwhile.
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    ).stdout


_FINDERS: Mapping[str, Callable[[], Any]] = {
    "git": _git,
    "host": socket.gethostname,
    "platform": platform.platform,
    "python": platform.python_version,
    "packages": _packages,
    "gpus": _gpus,
}
