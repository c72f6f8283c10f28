"""Checks of this machine: interpreter, packages, Java and its archives, ports, disk and memory."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from modeltrail.infra.cli.checks.finding import Finding, fail, ok, warn
from modeltrail.infra.config import Settings, stack_runs

_OLDEST_PYTHON = (3, 11)
# Without these `modeltrail up` cannot work; the others are a user's choice.
_NEEDED_EXTRAS = ("core", "embedded", "workers")
_GIB = 1 << 30
_LEAST_DISK_GIB = 1
_GOOD_DISK_GIB = 5
_GOOD_MEMORY_GIB = 2
_JAVA_TIMEOUT_S = 20


def python(_settings: Settings) -> Iterator[Finding]:
    """The interpreter is new enough."""
    shown = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        yield fail("python", shown, "use Python 3.11 or newer")
    else:
        yield ok("python", f"{shown} at {sys.executable}")


def packages(_settings: Settings) -> Iterator[Finding]:
    """The packages of each extra are installed."""
    for extra, names in _required_packages().items():
        missing = [name for name in names if not _installed(name)]
        if not missing:
            yield ok(f"packages: {extra}", f"{len(names)} installed")
            continue
        target = "modeltrail" if extra == "core" else f"modeltrail[{extra}]"
        level = fail if extra in _NEEDED_EXTRAS else warn
        yield level(
            f"packages: {extra}", f"without {', '.join(missing)}", f'pip install "{target}"'
        )


def java_runs(_settings: Settings) -> Iterator[Finding]:
    """The Java runtime starts."""
    from modeltrail.infra.stack.jvm import java, java_environment

    try:
        answer = subprocess.run(
            [java(), "-version"],
            env=java_environment(),
            capture_output=True,
            text=True,
            timeout=_JAVA_TIMEOUT_S,
            check=True,
        )
    except (OSError, ImportError, subprocess.SubprocessError) as error:
        yield fail("java", str(error), 'pip install --force-reinstall "modeltrail[embedded]"')
        return
    yield ok("java", answer.stderr.splitlines()[0])


def archives(_settings: Settings) -> Iterator[Finding]:
    """The Java archives are there and are those that maven.lock names."""
    from modeltrail.infra.stack.maven import cache_folder, read_lock, wrong_archives

    wanted = [archive for program in read_lock().values() for archive in program]
    wrong = wrong_archives(wanted, cache_folder())
    if not wrong:
        yield ok("java archives", f"{len(wanted)} verified in {cache_folder()}")
        return
    yield warn(
        "java archives",
        f"{len(wrong)} of {len(wanted)} are missing or damaged in {cache_folder()}",
        "`modeltrail up` fetches them again",
    )


def ports(settings: Settings) -> Iterator[Finding]:
    """The remembered ports are ours to take."""
    from modeltrail.infra.stack.layout import Layout
    from modeltrail.infra.stack.ports import is_free

    layout = Layout.at(settings.stack.data_dir)
    if not layout.ports.exists():
        yield ok("ports", "chosen at the first start")
        return
    if stack_runs(layout.root):
        yield ok("ports", "held by the running stack")
        return
    chosen: dict[str, int] = json.loads(layout.ports.read_text())
    taken = [f"{port} ({name})" for name, port in chosen.items() if not is_free(port)]
    if taken:
        yield warn(
            "ports",
            f"another program holds {', '.join(taken)}",
            "`modeltrail up` chooses others; restart clients that remember the old ones",
        )
    else:
        yield ok("ports", ", ".join(f"{port} ({name})" for name, port in chosen.items()))


def disk(settings: Settings) -> Iterator[Finding]:
    """The data folder has room."""
    folder = Path(settings.stack.data_dir).absolute()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free / _GIB
    detail = f"{free:.1f} GiB free for {folder}"
    step = "make room, or set MODELTRAIL_STACK_DATA_DIR to a folder on another disk"
    if free < _LEAST_DISK_GIB:
        yield fail("disk", detail, step)
    elif free < _GOOD_DISK_GIB:
        yield warn("disk", detail, step)
    else:
        yield ok("disk", detail)


def memory(settings: Settings) -> Iterator[Finding]:
    """The stack fits."""
    import psutil

    if stack_runs(Path(settings.stack.data_dir)):
        return
    free = psutil.virtual_memory().available / _GIB
    detail = f"{free:.1f} GiB available"
    if free < _GOOD_MEMORY_GIB:
        yield warn("memory", detail, "end other programs: the stack takes about 1.5 GiB")
    else:
        yield ok("memory", detail)


def _required_packages() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"core": []}
    for requirement in requires("modeltrail") or []:
        name = re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"](\w+)['\"]", requirement)
        found.setdefault(extra[1] if extra else "core", []).append(name)
    return found


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
