"""Answers what every setting is: default, `modeltrail.yaml`, environment, parsed once, frozen."""

import json
import os
from collections.abc import Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml

from modeltrail.infra.errors import ConfigError
from modeltrail.infra.secret import Secret
from modeltrail.infra.sections import (
    AlertingSettings,
    ClickHouseSettings,
    ExperimentTrackingSettings,
    KafkaSettings,
    ModelRegistrySettings,
    MonitoringSettings,
    ProcessorsSettings,
    ProjectorSettings,
    SchemaRegistrySettings,
    Settings,
    StackSettings,
)

__all__ = [
    "AlertingSettings",
    "ClickHouseSettings",
    "ConfigError",
    "ExperimentTrackingSettings",
    "KafkaSettings",
    "ModelRegistrySettings",
    "MonitoringSettings",
    "ProcessorsSettings",
    "ProjectorSettings",
    "SchemaRegistrySettings",
    "Settings",
    "StackSettings",
    "describe_settings",
    "environment_name",
    "load_settings",
    "stack_runs",
]

CONFIG_FILE = "modeltrail.yaml"
ENDPOINTS_FILE = "endpoints.json"
LOCK_FILE = "lock"
ENV_PREFIX = "MODELTRAIL_"


def load_settings(
    file: Path | None = None, environ: Mapping[str, str] | None = None, *, embedded: bool = True
) -> Settings:
    """Parse the settings; later sources win: defaults, running stack, file, environment.

    Args:
        file: the YAML file; None reads `modeltrail.yaml` of the working folder if it is there.
        environ: the environment; None is the process's own.
        embedded: fill addresses that nobody set from the embedded stack's `endpoints.json`.

    Raises:
        ConfigError: a section, key or value that is not one of ours, with the nearest that is.
    """
    layers = [_from_file(file), _from_environment(os.environ if environ is None else environ)]
    settings = _build(layers)
    if not embedded:
        return settings
    endpoints = _from_running_stack(Path(settings.stack.data_dir))
    return _build([endpoints, *layers]) if endpoints else settings


def environment_name(section: str, key: str) -> str:
    """The environment variable of one setting: `MODELTRAIL_KAFKA_TOPIC_PREFIX`."""
    return f"{ENV_PREFIX}{section}_{key}".upper()


def describe_settings() -> list[tuple[str, str, str, str]]:
    """Rows (section, key, default, meaning) of every setting, for documentation."""
    return [
        (section.name, key.name, str(key.default), key.metadata["doc"])
        for section in fields(Settings)
        for key in fields(_section_type(section))
    ]


Layer = Mapping[str, Mapping[str, Any]]


def _from_file(file: Path | None) -> Layer:
    path = file or Path(CONFIG_FILE)
    if not path.exists():
        if file is not None:
            raise ConfigError(f"no configuration file {path}: create it or leave --config out")
        return {}
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {_without_its_text(error)}") from None
    if not isinstance(content, dict) or not all(
        isinstance(value or {}, dict) for value in content.values()
    ):
        raise ConfigError(f"{path} must hold sections with keys, e.g. `kafka:` / `  partitions: 4`")
    return {section: value or {} for section, value in content.items()}


def _without_its_text(error: yaml.YAMLError) -> str:
    """What is wrong and where; the line itself may hold a password."""
    mark = getattr(error, "problem_mark", None)
    where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or 'it cannot be read'}{where}"


def stack_runs(data_dir: Path) -> bool:
    """Whether a supervisor holds the lock of this embedded stack; a lock dies with its holder."""
    lock = data_dir / LOCK_FILE
    if not lock.exists():
        return False
    # Imported here: only where an embedded stack has run, which is never Windows.
    import fcntl

    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _from_running_stack(data_dir: Path) -> Layer:
    # A stack that was killed leaves the file behind: its addresses lead nowhere.
    return endpoints_in(data_dir) if stack_runs(data_dir) else {}


def endpoints_in(data_dir: Path) -> Layer:
    """Addresses, as settings, that the embedded stack of this folder gave last; empty: none."""
    try:
        layer: Layer = json.loads((data_dir / ENDPOINTS_FILE).read_text())
    except FileNotFoundError:
        return {}
    return layer


def _from_environment(environ: Mapping[str, str]) -> Layer:
    known = {
        environment_name(section.name, key.name): (section.name, key.name)
        for section in fields(Settings)
        for key in fields(_section_type(section))
    }
    layer: dict[str, dict[str, Any]] = {}
    for name, value in environ.items():
        if not name.startswith(ENV_PREFIX):
            continue
        if name not in known:
            raise ConfigError(f"unknown setting {name}{_nearest(name, list(known))}")
        section, key = known[name]
        layer.setdefault(section, {})[key] = value
    return layer


def _build(layers: list[Layer]) -> Settings:
    sections = {section.name: _section_type(section) for section in fields(Settings)}
    merged: dict[str, dict[str, Any]] = {name: {} for name in sections}
    for layer in layers:
        for section, values in layer.items():
            if section not in sections:
                raise ConfigError(f"unknown section {section}{_nearest(section, list(sections))}")
            merged[section].update(values)
    return Settings(
        **{name: _build_section(name, kind, merged[name]) for name, kind in sections.items()}
    )


T = TypeVar("T")


def _build_section(section: str, kind: type[T], values: Mapping[str, Any]) -> T:
    known = {key.name: key for key in fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise ConfigError(f"unknown setting {section}.{name}{_nearest(name, list(known))}")
    return kind(**{name: _convert(section, known[name], value) for name, value in values.items()})


def _convert(section: str, key: "Field[Any]", value: Any) -> Any:
    kind: Any = type(key.default)
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        # int(4.5) would round without a word.
        rounded = kind is int and isinstance(value, float)
        if isinstance(value, bool | dict | list) or value is None or rounded:
            raise ValueError
        return kind(str(value) if kind is Secret else value)
    except (ValueError, KeyError):
        shown = "***" if kind is Secret else repr(value)
        raise ConfigError(
            f"{section}.{key.name} is {shown}, but must be {kind.__name__.lower()}: "
            f"{key.metadata['doc']}"
        ) from None


def _section_type(section: "Field[Any]") -> type[Any]:
    assert isinstance(section.type, type)
    return section.type


def _nearest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f": did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"
