"""Reads the evidence of a step, which somebody else measured, and writes it in canonical form."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from modeltrail.schemas.errors import ModeltrailError


class EvidenceUnreadable(ModeltrailError, ValueError):
    """The evidence is not what the contract says: upgrade the worker or node that wrote it."""


def evidence_of(text: str) -> dict[str, Any]:
    """The JSON object in a text, with finite numbers only.

    Raises:
        EvidenceUnreadable: it is none.
    """
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise EvidenceUnreadable(f"the evidence is no JSON of finite numbers: {error}") from error
    if not isinstance(found, dict):
        raise EvidenceUnreadable("the evidence is no JSON object")
    return found


def evidence_json(evidence: Mapping[str, object]) -> str:
    """Canonical JSON: keys sorted, no spaces, finite numbers only.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(
        evidence, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def objects_in(evidence: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The list of objects under a name.

    Raises:
        EvidenceUnreadable: there is no such list.
    """
    found = evidence.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise EvidenceUnreadable(f"the evidence has no list of objects {name!r}")
    return found


def numbers_in(evidence: Mapping[str, Any], name: str) -> list[float]:
    """The list of finite numbers under a name.

    Raises:
        EvidenceUnreadable: there is no such list.
    """
    found = evidence.get(name)
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise EvidenceUnreadable(f"the evidence has no list of numbers {name!r}")
    numbers = [optional_number(each) for each in found]
    if any(number is None for number in numbers):
        raise EvidenceUnreadable(f"{name!r} of the evidence holds something that is no number")
    return [number for number in numbers if number is not None]


def optional_number(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not finite")
