"""A mapping that never changes: `put` gives another, which shares all but a few entries with it.

A frozen state grows by one entry a fact; copying a whole dict each time would make a fold
quadratic in the versions of a model. Source: Bagwell, Ideal Hash Trees (2001), with small dicts as
leaves.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_BITS = 5
_WIDTH = 1 << _BITS
#: Where the bits of a hash end; entries below share one leaf, however many there are.
_DEEPEST = 60


class PersistentMap(Mapping[K, V], Generic[K, V]):
    """Entries in no order; `put` and `without` take the time of a few small copies."""

    __slots__ = ("_root", "_size")

    def __init__(self) -> None:
        self._root: Any = {}
        self._size = 0

    def put(self, key: K, value: V) -> "PersistentMap[K, V]":
        """These entries, and `key` with `value`."""
        size = self._size + (key not in self)
        return _made(_put(self._root, hash(key), 0, key, value), size)

    def without(self, key: K) -> "PersistentMap[K, V]":
        """These entries but that of `key`."""
        if key not in self:
            return self
        return _made(_without(self._root, hash(key), 0, key), self._size - 1)

    def __getitem__(self, key: K) -> V:
        node, code = self._root, hash(key)
        while isinstance(node, tuple):
            node, code = node[code % _WIDTH], code >> _BITS
        value: V = node[key]
        return value

    def __iter__(self) -> Iterator[K]:
        nodes = [self._root]
        while nodes:
            node = nodes.pop()
            if isinstance(node, tuple):
                nodes += node
            else:
                yield from node

    def __len__(self) -> int:
        return self._size


def _made(root: Any, size: int) -> PersistentMap[Any, Any]:
    made: PersistentMap[Any, Any] = PersistentMap()
    made._root, made._size = root, size
    return made


def _put(node: Any, code: int, depth: int, key: Any, value: Any) -> Any:
    if isinstance(node, tuple):
        at = code % _WIDTH
        child = _put(node[at], code >> _BITS, depth + _BITS, key, value)
        return (*node[:at], child, *node[at + 1 :])
    grown = {**node, key: value}
    if len(grown) <= _WIDTH or depth >= _DEEPEST:
        return grown
    children: list[dict[Any, Any]] = [{} for _ in range(_WIDTH)]
    for each, held in grown.items():
        children[(hash(each) >> depth) % _WIDTH][each] = held
    return tuple(children)


def _without(node: Any, code: int, depth: int, key: Any) -> Any:
    if isinstance(node, tuple):
        at = code % _WIDTH
        child = _without(node[at], code >> _BITS, depth + _BITS, key)
        return (*node[:at], child, *node[at + 1 :])
    return {each: held for each, held in node.items() if each != key}
