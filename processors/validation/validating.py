"""Checks a model file in a confined process, and says what was found, whatever became of it."""

import os
import platform
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modeltrail.infra.confined import Ending, Limits, Struck, run_confined
from modeltrail.processors.validation.checks import (
    LIMITS,
    NAMES,
    Found,
    Outcome,
    failed,
    passed,
    skipped,
)
from modeltrail.schemas.deployment_policy import ValidationPolicy, settings_json
from modeltrail.schemas.events import OpsetImport, Tensor
from modeltrail.schemas.ids import Sha256

_INSPECT = "modeltrail.processors.validation.inspecting:inspect"
_NICENESS = 10
# It becomes part of a Kafka message of at most 1 MiB.
_ANSWER_BYTES = 256 * 1024
_SAID_SHOWN = 500
_WORDS = {
    Struck.CPU: "CPU time ({cpu_s:g} s)",
    Struck.WALL: "time ({wall_s:g} s)",
    Struck.MEMORY: "memory ({memory_mb} MiB)",
    Struck.FILES: "size of a file that it writes",
    Struck.ANSWER: "size of what it tells",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked: a file, and what the registry has of it."""

    file: Path
    sha256: Sha256
    tensors: tuple[Tensor, ...]
    opsets: tuple[OpsetImport, ...]


def validate(
    subject: Subject,
    golden: Path | None,
    policy: ValidationPolicy,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Make every check; the evidence of a ModelValidated, JSON.

    Args:
        subject: the file and its registration.
        golden: golden inputs and outputs, .npz.
        policy: limits, tolerances, providers and shapes.
        stop: ends it early.

    Raises:
        Interrupted: `stop` was set.
    """
    limits = Limits(
        wall_s=policy.wall_s,
        cpu_s=policy.cpu_s,
        memory_mb=policy.memory_mb,
        answer_bytes=_ANSWER_BYTES,
        niceness=_NICENESS,
    )
    request = {
        "file": str(subject.file.absolute()),
        "sha256": subject.sha256.hex(),
        "tensors": [(each.is_input, each.name, each.dtype, each.shape) for each in subject.tensors],
        "opsets": [(each.domain, each.version) for each in subject.opsets],
        "golden": str(golden.absolute()) if golden else "",
        "settings": settings_json(policy),
    }
    return _evidence(run_confined(_INSPECT, request, limits, stop), limits)


def unfit(check: str, reason: str) -> dict[str, Any]:
    """The evidence where `check` failed before there was a file to look at."""
    checks = {check: failed(reason)}
    return {
        "checks": _all_checks({}, checks, f"{check} failed"),
        "environment": _own_environment(),
        "usage": {"cpu_s": 0.0, "wall_s": 0.0, "peak_memory_mb": 0.0},
    }


def _evidence(ending: Ending, limits: Limits) -> dict[str, Any]:
    told, running, environment = _told(ending)
    own = {LIMITS: _limits(ending, limits)}
    reason = _words(ending.struck, limits) if ending.struck else ending.failure
    if running and reason:
        own[running] = failed(f"it did not come to its end: {reason}")
    elif reason and not ending.struck:
        own[LIMITS] = failed(f"the process did not come to its end: {reason}{_said(ending)}")
    return {
        "checks": _all_checks(told, own, "an earlier check failed"),
        "environment": {**environment, "isolation": list(ending.isolation)},
        "usage": {
            "cpu_s": ending.cpu_s,
            "wall_s": ending.wall_s,
            "peak_memory_mb": ending.peak_memory_mb,
        },
    }


def _told(ending: Ending) -> tuple[dict[str, Mapping[str, Any]], str, Mapping[str, Any]]:
    """The checks that were finished, the one that was not, and the environment.

    Whatever else was told is passed over: a model may have taken the process over.
    """
    checks: dict[str, Mapping[str, Any]] = {}
    running = ""
    environment: Mapping[str, Any] = _own_environment()
    for each in ending.told:
        match each:
            case {"check": {"name": str(name), "outcome": str(outcome), "detail": str()} as found}:
                if name in NAMES and outcome in list(Outcome):
                    checks[name] = found
                    running = ""
            case {"running": str(name)} if name in NAMES:
                running = name
            case {"environment": dict(found)}:
                environment = found
    return checks, running, environment


def _limits(ending: Ending, limits: Limits) -> Found:
    allowed = {"cpu_s": limits.cpu_s, "wall_s": limits.wall_s, "memory_mb": limits.memory_mb}
    if ending.struck:
        detail = f"the limit of {_words(ending.struck, limits)} ended it"
        if ending.failure:
            detail += f": {ending.failure}"
        return failed(detail, allowed=allowed, struck=str(ending.struck))
    return passed("none was reached", allowed=allowed)


def _words(struck: Struck, limits: Limits) -> str:
    return _WORDS[struck].format(
        cpu_s=limits.cpu_s, wall_s=limits.wall_s, memory_mb=limits.memory_mb
    )


def _said(ending: Ending) -> str:
    return f"; it said: {ending.said.strip()[-_SAID_SHOWN:]}" if ending.said.strip() else ""


def _all_checks(
    told: Mapping[str, Mapping[str, Any]], own: Mapping[str, Found], otherwise: str
) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for name in NAMES:
        if name in own:
            made.append(own[name].evidence(name))
        elif name in told:
            made.append(dict(told[name]))
        else:
            made.append(skipped(otherwise).evidence(name))
    return made


def _own_environment() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "host": socket.gethostname(),
        "cpu_count": os.cpu_count() or 0,
    }
