"""Answers which operators, and sets of them, the installed ONNX Runtime does not have.

Only the confined process imports this.
"""

from collections.abc import Iterable, Iterator

import onnxruntime
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from modeltrail.processors.validation.contents import Contents, Operator
from modeltrail.schemas.events import OpsetImport

_ONNX = ("", "ai.onnx")
_ERRORS_ONLY = 4
# Known to every ONNX Runtime of today.
_PLAIN_OPSET = 13
_PLAIN_IR = 8


def unsupported_opsets(contents: Contents) -> list[str]:
    """Versions of operator sets, and of the format, with which not even a plain model loads."""
    refused = [
        f"{each.domain or 'ai.onnx'} opset {each.version}"
        for each in contents.opsets
        if not _loads(_PLAIN_IR, each)
    ]
    if not _loads(contents.ir_version, OpsetImport("", _PLAIN_OPSET)):
        refused.append(f"IR version {contents.ir_version}")
    return refused


def unsupported_operators(operators: Iterable[Operator]) -> list[str]:
    """The operators that ONNX Runtime does not know at that version of their set, sorted."""
    wanted = set(operators)
    known: dict[tuple[str, str], list[tuple[int, bool]]] = {
        (each.domain, each.name): [] for each in wanted
    }
    for schema in runtime.get_all_operator_schema():
        found = known.get(("" if schema.domain in _ONNX else schema.domain, schema.name))
        if found is not None:
            found.append((schema.since_version, schema.deprecated))
    return sorted(str(each) for each in wanted if not _is_in(known[each.domain, each.name], each))


def _is_in(versions: list[tuple[int, bool]], operator: Operator) -> bool:
    valid = [each for each in versions if each[0] <= operator.opset]
    return bool(valid) and not max(valid)[1]


def _loads(ir_version: int, opset: OpsetImport) -> bool:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "plain", [x], [y])
    model = helper.make_model(graph, opset_imports=list(_imports(opset)), ir_version=ir_version)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    try:
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception:
        # onnxruntime raises a class of its own for every kind of trouble.
        return False
    return True


def _imports(opset: OpsetImport) -> Iterator[object]:
    if opset.domain not in _ONNX:
        yield helper.make_opsetid("", _PLAIN_OPSET)
    yield helper.make_opsetid(opset.domain, opset.version)
