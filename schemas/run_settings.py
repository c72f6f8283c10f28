"""Answers in which settings the configurations of runs differ."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_SEEDS = frozenset({"seed", "random_seed", "random_state"})


def flattened(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings on one level, their path joined by dots; lists stay whole."""
    return dict(_leaves("", config))


def configuration_differences(
    settings: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """The settings that are not the same in all runs: by name, then by run; names sorted."""
    names = sorted({name for each in settings.values() for name in each})
    return {
        name: {run: each[name] for run, each in settings.items() if name in each}
        for name in names
        if len({_exactly(each, name) for each in settings.values()}) > 1
    }


def but_for_the_seed(settings: Mapping[str, Any]) -> str:
    """What two runs share if they differ by their random seed at most."""
    kept = {name: value for name, value in settings.items() if not is_seed(name)}
    return json.dumps(kept, sort_keys=True)


def is_seed(name: str) -> bool:
    """Whether this is a random seed: `seed`, `random_seed` or `random_state`, nested or not."""
    return name.rpartition(".")[2].lower() in _SEEDS


def _leaves(path: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(f"{path}{name}.", value)
        else:
            yield f"{path}{name}", value


def _exactly(settings: Mapping[str, Any], name: str) -> str | None:
    # True equals 1 in Python, and a list is not hashable.
    return json.dumps(settings[name], sort_keys=True) if name in settings else None
