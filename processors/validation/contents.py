"""Answers what an ONNX file holds: its operators, tensors kept elsewhere, inputs and outputs.

Only the confined process imports this. Source: onnx.proto3.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, TensorProto

from modeltrail.schemas.events import OpsetImport, Tensor

_ONNX_DOMAINS = ("", "ai.onnx")
_UNKNOWN = "?"
_MOST_NAMED = 20


class NotReadable(Exception):
    """These bytes are no ONNX model; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A use of an operator: its domain (empty: ONNX itself), name, and version of its set."""

    domain: str
    name: str
    opset: int

    def __str__(self) -> str:
        return f"{self.domain or 'ai.onnx'}.{self.name} of opset {self.opset}"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a model file holds; `external` names tensors whose bytes lie in other files."""

    ir_version: int
    nodes: int
    operators: frozenset[Operator]
    external: tuple[str, ...]
    tensors: tuple[Tensor, ...]
    opsets: tuple[OpsetImport, ...]


def read_contents(content: bytes) -> Contents:
    """Read a model.

    Raises:
        NotReadable: it is none.
    """
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as error:
        raise NotReadable(f"no ONNX model: {error}") from error
    if not model.HasField("graph") or not model.ir_version:
        raise NotReadable("no ONNX model: it has no graph or no ir_version")
    own = {(_domain(each.domain), each.name) for each in model.functions}
    operators: set[Operator] = set()
    external: list[str] = []
    nodes = 0
    for graph_or_function, opsets in _roots(model):
        for part in _parts(graph_or_function):
            if isinstance(part, onnx.NodeProto):
                nodes += 1
                domain = _domain(part.domain)
                if (domain, part.op_type) not in own:
                    operators.add(Operator(domain, part.op_type, opsets.get(domain, 0)))
            elif _is_elsewhere(part):
                external.append(part.name)
    return Contents(
        model.ir_version,
        nodes,
        frozenset(operators),
        tuple(external[:_MOST_NAMED]),
        _tensors(model.graph),
        tuple(OpsetImport(each.domain, each.version) for each in model.opset_import),
    )


def _roots(model: onnx.ModelProto) -> Iterator[tuple[Any, Mapping[str, int]]]:
    opsets = {_domain(each.domain): each.version for each in model.opset_import}
    yield model.graph, opsets
    for function in model.functions:
        yield function, {_domain(each.domain): each.version for each in function.opset_import}
    for training in model.training_info:
        yield training.initialization, opsets
        yield training.algorithm, opsets


def _parts(root: Any) -> Iterator[onnx.NodeProto | onnx.TensorProto]:
    """Every node and tensor of a graph or function and of the graphs inside, without recursion."""
    left = [root]
    while left:
        graph = left.pop()
        if isinstance(graph, onnx.GraphProto):
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
        else:
            yield from _tensors_of(graph.attribute_proto)
        for node in graph.node:
            yield node
            yield from _tensors_of(node.attribute)
            for attribute in node.attribute:
                left += [attribute.g] if attribute.HasField("g") else []
                left += attribute.graphs


def _is_elsewhere(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_location == TensorProto.EXTERNAL or tensor.external_data)


def _tensors_of(attributes: Any) -> Iterator[onnx.TensorProto]:
    attribute: AttributeProto
    for attribute in attributes:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        sparse = list(attribute.sparse_tensors)
        if attribute.HasField("sparse_tensor"):
            sparse.append(attribute.sparse_tensor)
        for each in sparse:
            yield from (each.values, each.indices)


def _tensors(graph: onnx.GraphProto) -> tuple[Tensor, ...]:
    """Inputs without those that have a weight, then outputs, as the registry writes them down."""
    weights = {each.name for each in graph.initializer}
    weights |= {each.values.name for each in graph.sparse_initializer}
    inputs = [_tensor(each, True) for each in graph.input if each.name not in weights]
    return (*inputs, *(_tensor(each, False) for each in graph.output))


def _tensor(value: onnx.ValueInfoProto, is_input: bool) -> Tensor:
    if not value.type.HasField("tensor_type"):
        return Tensor(is_input, value.name, "", ())
    kind = value.type.tensor_type
    names = {number: name for name, number in TensorProto.DataType.items()}
    dtype = names.get(kind.elem_type, f"TYPE_{kind.elem_type}")
    if not kind.HasField("shape"):
        return Tensor(is_input, value.name, dtype, ("...",))
    return Tensor(is_input, value.name, dtype, tuple(map(_dimension, kind.shape.dim)))


def _dimension(dimension: Any) -> str:
    if dimension.HasField("dim_value"):
        return str(dimension.dim_value) if dimension.dim_value >= 0 else _UNKNOWN
    return str(dimension.dim_param) or _UNKNOWN


def _domain(domain: str) -> str:
    return "" if domain in _ONNX_DOMAINS else domain
