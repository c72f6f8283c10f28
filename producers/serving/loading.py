"""Loads a routed model: fetched, verified, opened, and run once before frames depend on it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from modeltrail.producers.errors import ArtifactCorrupt, ModeltrailError
from modeltrail.producers.monitoring.runtime import open_session, verified_bytes
from modeltrail.producers.registry.artifacts import ArtifactStore
from modeltrail.schemas.events import LoadOutcome, RoutedArm

_LOG = logging.getLogger(__name__)
_LONGEST_DETAIL = 1000
_LARGEST_WARM_UP = 64 * 1024 * 1024
_DTYPES: Mapping[str, Any] = MappingProxyType(
    {
        "tensor(float)": np.float32,
        "tensor(double)": np.float64,
        "tensor(float16)": np.float16,
        "tensor(int64)": np.int64,
        "tensor(int32)": np.int32,
        "tensor(int8)": np.int8,
        "tensor(uint8)": np.uint8,
        "tensor(bool)": np.bool_,
    }
)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that runs: `onnx` is its `onnxruntime.InferenceSession`."""

    onnx: Any
    execution_provider: str


class NotLoaded(ModeltrailError):
    """A routed model cannot run here: see `outcome`; the node keeps what it ran."""

    def __init__(self, outcome: LoadOutcome, detail: str) -> None:
        self.outcome = outcome
        self.detail = detail[:_LONGEST_DETAIL]
        super().__init__(f"{outcome}: {self.detail}")


class ModelLoader:
    """Loads models from an artifact store; one thread uses it."""

    def __init__(
        self,
        store: ArtifactStore,
        providers: Sequence[str] | None,
        session_options: Callable[[], Any] | None,
    ) -> None:
        """Prepare.

        Args:
            store: where artifacts are fetched from, and kept.
            providers: ONNX Runtime execution providers; None is CUDA where it works, then CPU.
            session_options: makes the `onnxruntime.SessionOptions` of each model.
        """
        self._store = store
        self._providers = providers
        self._options = session_options

    def load(
        self, what: str, arm: RoutedArm, fed: Mapping[str, tuple[int, ...]] = MappingProxyType({})
    ) -> LoadedModel:
        """The arm's model, ready to run.

        It is run once, with zeros. Where its own shapes are open, they are those of `fed`; without
        these its first frame is its first run.

        Args:
            what: the model in messages.
            arm: which.
            fed: shape by input of what the node feeds the version before with.

        Raises:
            NotLoaded: it could not be fetched, has other bytes, or does not run.
        """
        content = self._fetched(what, arm)
        options = None if self._options is None else self._options()
        try:
            onnx = open_session(content, self._providers, options)
            inputs = onnx.get_inputs()
            if (feeds := _zeros(inputs, {})) is not None:
                onnx.run(None, feeds)
            elif (feeds := _zeros(inputs, fed)) is not None:
                _try(what, onnx, feeds)
        except Exception as error:
            # ONNX Runtime has no error class that all of its errors share.
            raise NotLoaded(LoadOutcome.LOAD_FAILED, f"{type(error).__name__}: {error}") from error
        return LoadedModel(onnx, onnx.get_providers()[0])

    def _fetched(self, what: str, arm: RoutedArm) -> bytes:
        try:
            path = self._store.fetch(arm.artifact_sha256, arm.artifact_uri)
            return verified_bytes(path, arm.artifact_sha256, what)
        except ArtifactCorrupt as error:
            raise NotLoaded(LoadOutcome.HASH_MISMATCH, str(error)) from error
        except (ModeltrailError, OSError) as error:
            raise NotLoaded(LoadOutcome.FETCH_FAILED, str(error)) from error


def _try(what: str, onnx: Any, feeds: Mapping[str, Any]) -> None:
    try:
        onnx.run(None, feeds)
    except Exception as error:
        # These shapes are a guess: they may fit the version before only.
        _LOG.info("%s was not warmed up: %s", what, error)


def _zeros(inputs: Sequence[Any], fed: Mapping[str, tuple[int, ...]]) -> dict[str, Any] | None:
    """Zeros for every input, a batch of one; None where nothing says which shape or type fits."""
    feeds = {}
    for each in inputs:
        shape = _shape(each, fed.get(each.name, ()))
        if any(map(_is_symbol, shape)) or each.type not in _DTYPES:
            return None
        dtype = np.dtype(_DTYPES[each.type])
        if int(np.prod(shape, dtype=np.float64)) * dtype.itemsize > _LARGEST_WARM_UP:
            return None
        feeds[each.name] = np.zeros(shape, dtype)
    return feeds


def _shape(entry: Any, fed: tuple[int, ...]) -> Sequence[Any]:
    if len(fed) == len(entry.shape):
        pairs = zip(entry.shape, fed, strict=True)
        return [size if _is_symbol(dimension) else dimension for dimension, size in pairs]
    if entry.shape and _is_symbol(entry.shape[0]):
        return [1, *entry.shape[1:]]
    return list(entry.shape)


def _is_symbol(dimension: Any) -> bool:
    return not isinstance(dimension, int)
