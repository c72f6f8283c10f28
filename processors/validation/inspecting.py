"""What the confined process does: every check of a model file, one after the other.

It tells which check it begins, and what it found, so that whoever watches knows how far it came.
"""

import hashlib
import importlib.metadata
import os
import platform
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from modeltrail.infra.confined.child import Tell, struck_by, text_of
from modeltrail.processors.validation.checks import Found, Outcome, failed, passed, skipped
from modeltrail.processors.validation.contents import Contents, NotReadable, read_contents
from modeltrail.processors.validation.loading import Loaded, NotLoaded, load
from modeltrail.processors.validation.operators import unsupported_operators, unsupported_opsets
from modeltrail.processors.validation.outputs import check_finite, check_golden
from modeltrail.schemas.deployment_policy import ValidationPolicy, validation_settings
from modeltrail.schemas.events import OpsetImport, Tensor


def inspect(request: Mapping[str, Any], tell: Tell) -> None:
    """Check a file; see `validating` for the request."""
    tell({"environment": _environment()})
    _Inspection(request, tell).run()


class _Inspection:
    """One file on its way through the checks; a check whose ground is missing is skipped."""

    def __init__(self, request: Mapping[str, Any], tell: Tell) -> None:
        self._tell = tell
        self._file = Path(request["file"])
        self._sha256 = request["sha256"]
        self._tensors = _tensors(request["tensors"])
        self._opsets = tuple(OpsetImport(*each) for each in request["opsets"])
        self._golden = Path(request["golden"]) if request["golden"] else None
        self._policy: ValidationPolicy = validation_settings(request["settings"])
        self._content = b""
        self._contents: Contents | None = None
        self._loaded: Loaded | None = None

    def run(self) -> None:
        genuine = self._check("sha256", self._same_bytes)
        readable = genuine and self._check("structure", self._structure)
        inside = readable and self._check("external_data", self._external_data)
        known = readable and self._check("operators", self._operators)
        loaded = inside and known and self._check("loads", self._loads)
        if readable:
            self._check("signature", self._signature)
        if loaded:
            self._check("golden", self._golden_outputs)
            self._check("finite", self._finite)

    def _check(self, name: str, make: Callable[[], Found]) -> bool:
        self._tell({"running": name})
        found = make()
        self._tell({"check": found.evidence(name)})
        return found.outcome is not Outcome.FAILED

    def _same_bytes(self) -> Found:
        self._content = self._file.read_bytes()
        found = hashlib.sha256(self._content).hexdigest()
        if found != self._sha256:
            return failed(f"the file has {found}, registered is {self._sha256}")
        return passed("as registered", bytes=len(self._content))

    def _structure(self) -> Found:
        try:
            self._contents = read_contents(self._content)
        except NotReadable as error:
            return failed(str(error))
        about = {"nodes": self._contents.nodes, "ir_version": self._contents.ir_version}
        if self._contents.external:
            # The checker would look for the other files.
            return passed("it can be read; not checked further: its data lie elsewhere", **about)
        try:
            onnx.checker.check_model(self._content)
        except onnx.checker.ValidationError as error:
            if self._unsupported():
                return passed("it can be read; not checked further: unknown operators", **about)
            return failed(f"onnx.checker: {error}", **about)
        return passed("onnx.checker finds nothing wrong", **about)

    def _external_data(self) -> Found:
        assert self._contents is not None
        if named := self._contents.external:
            return failed(f"tensors in other files: {', '.join(map(repr, named))}", tensors=named)
        return passed("all data are in the file")

    def _operators(self) -> Found:
        assert self._contents is not None
        if unsupported := self._unsupported():
            return failed(
                f"ONNX Runtime {onnxruntime.__version__} does not have {', '.join(unsupported)}",
                unsupported=unsupported,
            )
        return passed("all are supported", operators=len(self._contents.operators))

    def _unsupported(self) -> list[str]:
        assert self._contents is not None
        sets = unsupported_opsets(self._contents)
        return [*sets, *unsupported_operators(self._contents.operators)]

    def _loads(self) -> Found:
        try:
            policy = self._policy
            self._loaded = load(self._content, policy.providers, policy.memory_mb)
        except NotLoaded as error:
            if struck_by(error):
                raise MemoryError(text_of(error)) from error
            return failed(str(error))
        detail = "; ".join((f"on {self._loaded.provider}", *self._loaded.passed_over))
        return passed(
            detail, provider=self._loaded.provider, passed_over=list(self._loaded.passed_over)
        )

    def _signature(self) -> Found:
        assert self._contents is not None
        if not self._tensors and not self._opsets:
            return skipped("the version was registered without a signature")
        if self._contents.opsets != self._opsets:
            return failed(f"opsets are {self._contents.opsets}, registered are {self._opsets}")
        found = self._contents.tensors
        if found == self._tensors:
            return passed("as registered", tensors=len(found))
        for ours, theirs in zip(found, self._tensors, strict=False):
            if ours != theirs:
                return failed(f"the file has {_shown(ours)}, registered is {_shown(theirs)}")
        return failed(f"{len(found)} inputs and outputs, registered are {len(self._tensors)}")

    def _golden_outputs(self) -> Found:
        assert self._loaded is not None
        return check_golden(self._loaded.session, self._golden, self._policy)

    def _finite(self) -> Found:
        assert self._loaded is not None
        assert self._contents is not None
        return check_finite(self._loaded.session, self._contents.tensors, self._policy)


def _tensors(entries: Sequence[Sequence[Any]]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(is_input, name, dtype, tuple(shape)) for is_input, name, dtype, shape in entries
    )


def _shown(tensor: Tensor) -> str:
    kind = "input" if tensor.is_input else "output"
    return f"{kind} {tensor.name!r}: {tensor.dtype} [{', '.join(tensor.shape)}]"


def _environment() -> dict[str, Any]:
    return {
        "onnxruntime": onnxruntime.__version__,
        "onnx": importlib.metadata.version("onnx"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "host": socket.gethostname(),
        "cpu_count": os.cpu_count() or 0,
        "providers": onnxruntime.get_available_providers(),
    }
