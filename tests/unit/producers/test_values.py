"""Which numbers and documents may become part of a fact."""

from typing import Any

import numpy as np
import pytest

from modeltrail.producers.values import finite, natural, to_json, whole
from modeltrail.schemas.errors import InvalidFact


@pytest.mark.parametrize("value", [1, 1.0, True, np.float32(1), np.float64(1), np.int8(1)])
def test_numbers_of_all_kinds_become_plain_floats(value: Any) -> None:
    number = finite("loss", value)

    assert number == 1.0
    assert type(number) is float


@pytest.mark.parametrize(
    "value", [None, "0.5", b"1", [1.0], np.array([1.0]), 1j, 10**400, float("nan"), np.inf]
)
def test_everything_else_is_refused(value: Any) -> None:
    with pytest.raises(InvalidFact, match="'loss'"):
        finite("loss", value)


@pytest.mark.parametrize("value", [0, 7, np.int64(7), np.uint8(0)])
def test_counts_may_be_numpy_integers(value: Any) -> None:
    assert type(natural("step", value)) is int


@pytest.mark.parametrize("value", [-1, 1.0, "1", None, 2**63, np.float64(1)])
def test_what_is_no_count_is_refused(value: Any) -> None:
    with pytest.raises(InvalidFact, match="step"):
        natural("step", value)


def test_whole_numbers_may_be_negative() -> None:
    assert whole("offset", -3) == -3


def test_documents_are_written_the_same_whatever_the_order_of_keys() -> None:
    left = to_json("config", {"b": np.float32(0.5), "a": np.arange(3), "ü": None})
    right = to_json("config", {"ü": None, "a": [0, 1, 2], "b": 0.5})

    assert left == right == '{"a": [0, 1, 2], "b": 0.5, "ü": null}'


def test_a_document_that_holds_itself_is_refused() -> None:
    config: dict[str, Any] = {}
    config["self"] = config

    with pytest.raises(InvalidFact, match="config is not JSON"):
        to_json("config", config)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(InvalidFact, match="config is not JSON"):
        to_json("config", {"name": "\ud800"})
