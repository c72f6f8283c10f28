"""The JSON Schema of policies is what the reader takes: editors and deployments agree."""

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from modeltrail.schemas.deployment_policy import (
    DeploymentPolicy,
    PolicyInvalid,
    policy_from_yaml,
    policy_json,
    policy_schema,
)

FILE = files("modeltrail.schemas") / "policies" / "deployment.schema.json"
FULL = json.loads(
    policy_json(
        policy_from_yaml(
            "data_quality: {}\nethics: {}\nab_test: {guardrails: [{metric: a}]}\n"
            "performance: {max_latency_ms: 5, max_memory_ratio: 2}"
        )
    )
)
#: What only several settings together say, which a schema of single settings cannot.
TOGETHER = ("belong together", "needs a file", "must rise", "must end", "is over", "too few")
WRONG: tuple[Any, ...] = (None, "x y", -1, 10**18, [], {}, True, [{}], 0.5)


def test_the_file_for_editors_is_made_from_the_settings() -> None:
    assert json.loads(FILE.read_text()) == policy_schema(), "run `make docs`"


def test_the_schema_is_a_schema_and_takes_what_policies_are() -> None:
    jsonschema.Draft202012Validator.check_schema(policy_schema())
    assert accepts(FULL)
    assert accepts(json.loads(policy_json(DeploymentPolicy())))
    assert accepts({})


def settings_of(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of each setting."""
    if not isinstance(value, dict) or not value:
        return [path]
    return [found for name, each in value.items() for found in settings_of(each, (*path, name))]


@pytest.mark.parametrize("path", settings_of(FULL), ids=".".join)
def test_editor_and_deployment_take_and_refuse_the_same_values(path: tuple[str, ...]) -> None:
    for value in WRONG:
        policy = changed(FULL, path, value)
        assert accepts(policy) == is_read(policy), f"{'.'.join(path)}: {value!r}"


def test_settings_that_nobody_knows_are_refused_by_both() -> None:
    for path in (("unknown",), ("production", "unknown")):
        policy = changed(FULL, path, 1)
        assert not accepts(policy)
        assert not is_read(policy)


def changed(policy: Any, path: tuple[str, ...], value: Any) -> Any:
    """The same policy with another value at a path."""
    if not path:
        return value
    return {**policy, path[0]: changed(policy.get(path[0], {}), path[1:], value)}


def accepts(policy: Any) -> bool:
    """Whether an editor takes it."""
    return jsonschema.Draft202012Validator(policy_schema()).is_valid(policy)


def is_read(policy: Any) -> bool:
    """Whether a deployment takes it, as far as single settings say."""
    try:
        policy_from_yaml(json.dumps(policy))
    except PolicyInvalid as error:
        together = (
            "belong together",
            "needs a file",
            "must rise",
            "must end",
            "is over",
            "too few",
        )
        return any(words in str(error) for words in together)
    return True
