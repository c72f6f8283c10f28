"""Compares what a model gives with what it should give: finite numbers, golden outputs.

Only the confined process imports this.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.infra.confined.child import struck_by, text_of
from modeltrail.processors.validation.arrays import SEED, CannotMake, made_inputs
from modeltrail.processors.validation.checks import Found, failed, passed, skipped
from modeltrail.schemas.deployment_policy import ValidationPolicy
from modeltrail.schemas.events import Tensor
from modeltrail.schemas.input_shapes import ShapeUnknown

_MIB = 1024 * 1024
_INPUT, _OUTPUT = "input:", "output:"
# Nobody promises anything for these: a model may refuse a number that it has no place for.
_MAY_BE_REFUSED = ("highest", "lowest", "alternating")


def check_finite(session: Any, tensors: Sequence[Tensor], policy: ValidationPolicy) -> Found:
    """Whether every number that comes out is finite, for chance, zeros and extremes.

    Raises:
        MemoryError: there is not enough of it.
    """
    tried: dict[str, Any] = {}
    try:
        for kind, feeds in made_inputs(tensors, policy.shapes, policy.memory_mb * _MIB):
            try:
                outputs = session.run(None, feeds)
            except Exception as error:
                if struck_by(error):
                    raise MemoryError(text_of(error)) from error
                if kind not in _MAY_BE_REFUSED:
                    return failed(f"{kind} inputs: {text_of(error)}", tried=tried, seed=SEED)
                tried[kind] = {"refused": text_of(error)[:200]}
                continue
            tried[kind] = {"values": 0, "not_finite": 0}
            for array in _numbers(outputs):
                tried[kind]["values"] += int(array.size)
                tried[kind]["not_finite"] += int(array.size - np.isfinite(array).sum())
    except CannotMake as error:
        return skipped(f"{error}: no inputs can be made for it")
    except ShapeUnknown as error:
        return failed(str(error))
    wrong = [kind for kind, found in tried.items() if found.get("not_finite")]
    if wrong:
        detail = f"NaN or infinite outputs for {', '.join(wrong)} inputs"
        return failed(detail, tried=tried, seed=SEED)
    return passed("every output is finite", tried=tried, seed=SEED)


def check_golden(session: Any, file: Path | None, policy: ValidationPolicy) -> Found:
    """Whether the golden inputs give the golden outputs, within the tolerances.

    Raises:
        MemoryError: there is not enough of it.
    """
    if file is None:
        if policy.require_golden:
            return failed("the policy requires golden outputs and names no file: give golden_uri")
        return skipped("the policy names no golden outputs")
    try:
        with np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
    except MemoryError:
        raise
    except Exception as error:
        # zip, header and type errors come in many classes.
        return failed(f"the golden file cannot be read: {text_of(error)}")
    feeds = {name[len(_INPUT) :]: each for name, each in arrays.items() if name.startswith(_INPUT)}
    wanted = {
        name[len(_OUTPUT) :]: each for name, each in arrays.items() if name.startswith(_OUTPUT)
    }
    if not wanted:
        return failed("the golden file has no array output:NAME: write inputs and outputs into it")
    try:
        given = dict(zip(wanted, session.run(list(wanted), feeds), strict=True))
    except Exception as error:
        if struck_by(error):
            raise MemoryError(text_of(error)) from error
        return failed(f"the golden inputs do not run: {text_of(error)}")
    return _compared(wanted, given, policy)


def _compared(
    wanted: Mapping[str, npt.NDArray[Any]], given: Mapping[str, Any], policy: ValidationPolicy
) -> Found:
    errors: dict[str, Any] = {}
    wrong: list[str] = []
    for name, golden in wanted.items():
        found = np.asarray(given[name])
        if found.shape != golden.shape or found.dtype != golden.dtype:
            wrong.append(
                f"{name} is {found.dtype} {list(found.shape)}, golden is "
                f"{golden.dtype} {list(golden.shape)}"
            )
            continue
        if not np.issubdtype(found.dtype, np.number):
            if not np.array_equal(found, golden):
                wrong.append(f"{name} differs")
            continue
        distance = np.abs(found.astype(np.float64) - golden.astype(np.float64))
        allowed = policy.absolute_tolerance + policy.relative_tolerance * np.abs(golden)
        outside = int((~(distance <= allowed)).sum())
        finite = distance[np.isfinite(distance)]
        largest = float(finite.max()) if finite.size else 0.0
        errors[name] = {"values": int(found.size), "outside": outside, "largest_error": largest}
        if outside:
            wrong.append(f"{name}: {outside} of {found.size} values are outside the tolerance")
    if wrong:
        return failed("; ".join(wrong), outputs=errors)
    return passed("golden outputs within the tolerance", outputs=errors)


def _numbers(value: Any) -> Iterator[npt.NDArray[Any]]:
    """Every array of floating-point numbers in an output, also inside sequences and maps."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, list | tuple):
            left += each
        elif isinstance(each, dict):
            left += each.values()
        elif isinstance(each, float) or (
            isinstance(each, np.ndarray) and np.issubdtype(each.dtype, np.floating)
        ):
            yield np.asarray(each)
